"""The rules of connection specs and flow specs, as the organization's own specs state them.

One reader of JSON schemas serves them all: credentials, source parameters, transformations, options, schedule.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

from ..client.specs import spec_label
from ..constants import ConnectionSpec
from ..engine.arguments import path_text
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props, contains_unknown
from ..errors import NotFound

NO_SUCH_SPEC = "this organization has no spec {!r}; aep.ConnectionSpec and aep.FlowSpec hold well-known ids"
ALWAYS_TAKEN = {"host", "filters"}
"""What pages send and specs may lack: `host` (tutorial), `filters` (docs tutorials/api/filter.md)."""

_STREAMING_PROVIDER = "521eee4d-8cbe-4906-bb48-fb6bd4450033"  # docs tutorials/api/create/streaming/http.md

Json = dict[str, Any]


# ---- which specs ----


def spec_id(props: Props, field: str = "connection_spec") -> str | None:
    """The id of the spec that the properties name; None where it is unknown or no id."""
    spec = props.get(field)
    found = spec.get("id") if isinstance(spec, dict) else spec
    return found if isinstance(found, str) and re.fullmatch(r"[\w-]+", found) else None


def missing_spec(props: Props, runtime: Runtime, field: str = "connection_spec") -> list[str]:
    """The problem of a spec that does not exist, or not in this version."""
    identity, spec = spec_id(props, field), props.get(field)
    if identity is None:
        return []
    try:
        live = runtime.flow_spec(identity) if field == "flow_spec" else runtime.connection_spec(identity)
    except NotFound:
        return [f"{field}: {NO_SUCH_SPEC.format(identity)}"]
    version = spec.get("version") if isinstance(spec, dict) else None
    if live and isinstance(version, str) and version != live.get("version", version):
        return [f"{field}.version: this spec has version {live['version']}; got {version!r}"]
    return []


def name_of_spec(connection_spec: str, runtime: Runtime) -> str:
    """The name that people know, or the id where there is no such spec, or none that may be read."""
    with suppress(NotFound):
        if live := runtime.connection_spec(connection_spec):
            return spec_label(live)
    return connection_spec


def flow_specs_for(source_spec: str, names: set[str], runtime: Runtime) -> list[Json]:
    """The flow specs that take this source and have these transformations, those that take the fewest sources first.

    Without transformations, those that have none: the HTTP API has one for data that is XDM already.
    """
    fitting = [
        spec
        for spec in sorted(runtime.flow_specs(), key=lambda spec: len(spec.get("sourceConnectionSpecIds") or []))
        if source_spec in (spec.get("sourceConnectionSpecIds") or []) and names <= {*_transformations(spec)}
    ]
    without = [spec for spec in fitting if not _transformations(spec)]
    return fitting if names else without or fitting


def _transformations(flow_spec: Json) -> dict[str, Json]:
    return {each["name"]: each.get("spec") or {} for each in flow_spec.get("transformationSpecs") or []}


# ---- credentials ----


def auth_schema(props: Props, runtime: Runtime) -> Json:
    """The JSON schema of the parameters of the program's way to authenticate; empty where it cannot be read."""
    identity, auth = spec_id(props), props.get("auth")
    if not runtime.settings.online_checks or identity is None or not isinstance(auth, dict):
        return {}
    try:
        return _auth_methods(runtime.connection_spec(identity) or {}).get(str(auth.get("spec_name")), {})
    except NotFound:
        return {}


def _auth_methods(spec: Json) -> dict[Any, Json]:
    return {way["name"]: way.get("spec") or {} for way in spec.get("authSpec") or []}


def source_schema(props: Props, runtime: Runtime) -> Json:
    """The JSON schema of the parameters of a source; empty where it cannot be read."""
    identity = spec_id(props)
    if not runtime.settings.online_checks or identity is None:
        return {}
    try:
        return ((runtime.connection_spec(identity) or {}).get("sourceSpec") or {}).get("spec") or {}
    except NotFound:
        return {}


def passwords(schema: Json) -> list[str]:
    """The parameters that a schema marks as passwords."""
    return sorted(name for name, part in properties(schema).items() if part.get("format") == "password")


def properties(schema: Json) -> dict[str, Json]:
    """The parameters that a schema knows."""
    return schema.get("properties") or {}


def auth_problems(props: Props, runtime: Runtime) -> list[str]:
    """What the live connection spec says against `auth`: the way to authenticate, its parameters."""
    identity, auth = spec_id(props), props.get("auth")
    spec = runtime.connection_spec(identity) if identity else None
    if not spec:
        return []
    methods = _auth_methods(spec)
    has = f"it has {', '.join(map(repr, methods))}" if methods else "it has none: leave auth out"
    if auth is None:
        return [f"auth: is required by {spec_label(spec)}; {has}"] if methods else []
    if not isinstance(auth, dict) or not isinstance(auth.get("spec_name"), str):
        return []
    method = auth["spec_name"]
    if method not in methods:
        return [f"auth.spec_name: {spec_label(spec)} has no {method!r}; {has}"]
    return schema_problems(auth.get("params", {}), methods[method], "auth.params", repr(method))


# ---- source connections ----


def source_problems(props: Props, runtime: Runtime) -> list[str]:
    """What the live connection spec says against a source connection."""
    identity = spec_id(props)
    spec = runtime.connection_spec(identity) if identity else None
    if not spec:
        return []
    source, name = spec.get("sourceSpec"), spec_label(spec)
    if source is None:
        return [f"connection_spec: {name} is no source"]
    problems = schema_problems(props.get("params", {}), source.get("spec") or {}, "params", name)
    if spec.get("authSpec") and props.get("base_connection_id") is None:
        problems.append(f"base_connection_id: is required: {name} needs a base connection; a Source makes it from auth")
    return problems + _format_problems(props.get("data"), spec, name)


def _format_problems(data: Any, spec: Json, name: str) -> list[str]:
    """No page says where a spec names its formats (assumed: sourceSpec.attributes.dataFormats)."""
    formats = (spec["sourceSpec"].get("attributes") or {}).get("dataFormats") or []
    words = _alternatives(formats)
    if data is None and spec.get("providerId") != _STREAMING_PROVIDER:  # streaming: docs create/streaming/http.md
        return [f"data: is required by {name}, like {{'format': {formats[0] if formats else 'json'!r}}}"]
    found = data.get("format", UNKNOWN) if isinstance(data, dict) else UNKNOWN
    if not formats or found is UNKNOWN or found in formats:
        return []
    return [f"data.format: must be {words} for {name}; got {found!r}"]


# ---- flows ----


def flow_problems(
    spec: Json, source_spec: str | None, body: Json, names: Mapping[str, str], runtime: Runtime
) -> list[str]:
    """What the live flow spec says against a flow.

    `body` holds what the flow sends: transformations, scheduleParams, options, some of it unknown. `names`: as the
    program spells what Adobe spells otherwise.
    """
    name = f"flow spec {spec['name']}"
    return [
        *_end_problems(spec, source_spec, name, runtime),
        *_transformation_problems(spec, body.get("transformations"), name),
        *_schedule_problems(spec, body.get("scheduleParams"), name, names),
        *schema_problems(
            body.get("options") or {}, (spec.get("optionSpec") or {}).get("spec") or {}, "options", name, names
        ),
    ]


def _end_problems(spec: Json, source_spec: str | None, name: str, runtime: Runtime) -> Iterator[str]:
    targets = spec.get("targetConnectionSpecIds")
    if targets and ConnectionSpec.DATA_LAKE not in targets:
        yield f"flow_spec: {name} does not end in the data lake"
    sources = spec.get("sourceConnectionSpecIds")
    if not sources or source_spec is None or source_spec in sources:
        return
    takes = ", ".join(f"{each['name']} ({each['id']})" for each in flow_specs_for(source_spec, set(), runtime))
    remedy = f"leave flow_spec out, or take {takes}" if takes else "no other does either"
    yield f"flow_spec: {name} does not take {name_of_spec(source_spec, runtime)}: {remedy}"


def _transformation_problems(spec: Json, transformations: Any, name: str) -> Iterator[str]:
    known = _transformations(spec)
    for index, each in enumerate(transformations if isinstance(transformations, list) else ()):
        kind = each.get("name") if isinstance(each, dict) else None
        if not isinstance(kind, str) or "transformationSpecs" not in spec:
            continue
        if kind in known:
            yield from schema_problems(each.get("params"), known[kind], f"transformations[{index}].params", repr(kind))
        else:
            has = f"it has {_alternatives([*known], 'and')}" if known else "it has none: remove it"
            yield f"transformations[{index}].name: {name} has no {kind!r}; {has}"


def _schedule_problems(spec: Json, schedule: Any, name: str, names: Mapping[str, str]) -> list[str]:
    rules = spec.get("scheduleSpec")
    if schedule is None:
        return [f"schedule: is required by {name}, like {{'frequency': 'hour', 'interval': 1}}"] if rules else []
    if not rules:
        return [f"schedule: {name} is for streaming, which has no schedule: remove it"]
    return schema_problems(schedule, rules.get("spec") or {}, "schedule", name, names)


# ---- JSON schemas ----


def schema_problems(value: Any, schema: Json, path: str, of: str, names: Mapping[str, str] | None = None) -> list[str]:
    """What a JSON schema says against a value, parts of which may be unknown. Values are left out: they may be secret.

    A name that the schema does not know is refused even if the schema would let it pass: it is a misspelt one.
    """
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    if not isinstance(value, dict):
        return []
    problems = [*_unknown_names(value, schema, path, of, names or {})]
    for found in Draft7Validator(schema).iter_errors(value):
        error = best_match([found]) or found
        if error.validator != "required" and (contains_unknown(error.instance) or contains_unknown(found.instance)):
            continue
        steps = [(names or {}).get(str(step), step) for step in error.absolute_path]
        place = path_text([path, *steps])
        if error.validator == "additionalProperties":
            if steps:
                problems += _unknown_names(error.instance, error.schema, place, of, {})
        elif error.validator == "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            problems += [f"{place}.{(names or {}).get(name, name)}: is required by {of}" for name in missing]
        else:
            problems.append(f"{place}: {_rule_text(error.validator, error.validator_value, of)}")
    return [*dict.fromkeys(problems)]


def _unknown_names(value: Json, schema: Json, path: str, of: str, names: Mapping[str, str]) -> Iterator[str]:
    known = {name for part in _parts(schema) for name in properties(part)}
    if not known or any(part.get("additionalProperties") or part.get("patternProperties") for part in _parts(schema)):
        return
    takes = sorted(names.get(name, name) for name in known)
    for name in value:
        if name not in known | ALWAYS_TAKEN:
            close = get_close_matches(name, takes, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            yield f"{path}.{name}: is not a parameter of {of}{hint}; it takes {', '.join(takes)}"


def _parts(schema: Json) -> Iterator[Json]:
    """The schema and those that it is composed of."""
    yield schema
    for each in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _parts(each)


def _rule_text(rule: str, value: Any, of: str) -> str:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    match rule:
        case "type":
            return f"must be of type {_alternatives(value if isinstance(value, list) else [value], quote=str)}"
        case "enum":
            return f"must be {_alternatives(value)}"
        case "const":
            return f"must be {value!r}"
        case "minLength" | "minItems" if value == 1:
            return "must not be empty"
        case _ if rule in words:
            return f"must be {words[rule]} {value}"
    return f"breaks the rule {rule} of {of}"


def _alternatives(values: list[Any], word: str = "or", quote: Any = repr) -> str:
    """'json', 'delimited' or 'parquet'"""
    texts = [quote(value) for value in values]
    return f" {word} ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))
