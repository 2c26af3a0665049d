"""The rules of connection specs and flow specs, as the organization's own specs state them."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..client.specs import spec_label
from ..constants import ConnectionSpec
from ..engine.problems import did_you_mean
from ..engine.runtime import Runtime
from ..engine.values import UNKNOWN, Props
from ..errors import NotFound
from .json_schemas import alternatives, properties, schema_problems

NO_SUCH_SPEC = "this organization has no spec {!r}: give the id of one, which pulumi-aep specs NAME shows"
FILE_PROPERTIES = ("columnDelimiter", "encoding", "compressionType")
"""What pages show in `data.properties` (docs tutorials/api/collect/cloud-storage.md); none says that this is all."""

_ARGUMENTS = {"Copy": "delta_column", "Encryption": "encryption"}
"""Transformation → the argument of Source that makes it."""

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
    """The flow specs that take this source and have most of these transformations, those that take the fewest sources
    first.

    Without transformations, those that have none: the HTTP API has one for data that is XDM already.
    """
    taking = [
        spec
        for spec in sorted(runtime.flow_specs(), key=lambda spec: len(spec.get("sourceConnectionSpecIds") or []))
        if source_spec in (spec.get("sourceConnectionSpecIds") or [])
    ]
    lacking = [len(names - {*_transformations(spec)}) for spec in taking]
    fitting = [spec for spec, count in zip(taking, lacking, strict=True) if count == min(lacking)]
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
    words = alternatives(formats)
    if data is None and spec.get("providerId") != _STREAMING_PROVIDER:  # streaming: docs create/streaming/http.md
        return [f"data: is required by {name}, like {{'format': {formats[0] if formats else 'json'!r}}}"]
    found = data.get("format", UNKNOWN) if isinstance(data, dict) else UNKNOWN
    if not formats or found is UNKNOWN or found in formats:
        return [*_property_problems(data)]
    return [f"data.format: must be {words} for {name}; got {found!r}"]


def _property_problems(data: Any) -> Iterator[str]:
    given = data.get("properties") if isinstance(data, dict) else None
    for name in given if isinstance(given, dict) else ():
        if name not in FILE_PROPERTIES and (hint := did_you_mean(name, FILE_PROPERTIES)):
            yield f"data.properties.{name}: is not known{hint}"


# ---- flows ----


def flow_problems(
    spec: Json, source_spec: str | None, body: Json, names: Mapping[str, str], runtime: Runtime
) -> list[str]:
    """What the live flow spec says against a flow.

    `body` holds what the flow sends: transformations, scheduleParams, options, draft, some of it unknown. `names`: as
    the program spells what Adobe spells otherwise.
    """
    name = f"flow spec {spec['name']}"
    return [
        *_end_problems(spec, source_spec, name, runtime),
        *_transformation_problems(spec, body.get("transformations"), name),
        *_schedule_problems(spec, body.get("scheduleParams"), name, names),
        *_draft_problems(spec, body.get("draft"), name),
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
            has = f"it has {alternatives([*known], 'and')}" if known else "it has none: remove it"
            of_source = f", which {_ARGUMENTS[kind]} of a Source needs" if kind in _ARGUMENTS else ""
            yield f"transformations[{index}].name: {name} has no {kind!r}{of_source}; {has}"


def _schedule_problems(spec: Json, schedule: Any, name: str, names: Mapping[str, str]) -> list[str]:
    rules = spec.get("scheduleSpec")
    if schedule is None:
        return [f"schedule: is required by {name}, like {{'frequency': 'hour', 'interval': 1}}"] if rules else []
    if not rules:
        return [f"schedule: {name} is for streaming, which has no schedule: remove it"]
    return schema_problems(schedule, rules.get("spec") or {}, "schedule", name, names)


def _draft_problems(spec: Json, draft: Any, name: str) -> list[str]:
    if draft is not True or (spec.get("attributes") or {}).get("isDraftModeSupported"):
        return []
    return [f"draft: {name} has no drafts: leave draft out. With enabled=False the flow is disabled once it is made"]
