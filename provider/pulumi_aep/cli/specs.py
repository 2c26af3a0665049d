"""`pulumi-aep specs [NAME]`: the kinds of sources that the organization has, the parameters and a program of each."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from ..client.specs import shareable, spec_label
from ..constants import ConnectionSpec
from ..errors import LookupFailed
from ..sources.json_schemas import parts_of, properties, required, schema_problems
from ..sources.preview import source_kind
from ..sources.spec_rules import FILE_PROPERTIES
from ._output import Json, print_json, print_table, progress
from ._session import Session, Stack

Spec = dict[str, Any]
DEEPEST = 4
"""Keys inside keys that are shown: a schema may hold itself."""
FORMATS = {"files": "delimited", "tables": "tabular", "rest": "json", "stream": "json"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a source or of a way to authenticate. `placeholder` is a value for an example program."""

    name: str
    type: str
    required: bool
    secret: bool
    allowed: list[Any]
    placeholder: Any


_UNDESCRIBED: dict[str, Spec] = {
    "files": {
        "properties": {"path": {"type": "string"}, "type": {"type": "string", "enum": ["file", "folder"]}},
        "required": ["path", "type"],
    },
    "tables": {
        "properties": {"tableName": {"type": "string"}, "path": {"type": "string"}},
        "required": ["tableName", "path"],
    },
}
"""Parameters of sources whose spec lists none (docs tutorials/api/collect)."""


def specs(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name (or a part of it) or id of a spec.")] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for all specs, which emulator --specs runs with.")
    ] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List the kinds of sources, or show one in full.

    The organization's connection specs and flow specs; for a single one its parameters and an example program.

    \b
    Examples:
      pulumi-aep specs cloud
      pulumi-aep specs Mixpanel
      pulumi-aep specs --save specs.json
    """
    service = Session(stack).client.flow_service
    with progress("reading the specs", as_json):
        connection_specs, flow_specs = list(service.connection_specs.find()), list(service.flow_specs.find())
    if save:
        _save(save, connection_specs, flow_specs)
        return
    sources, flows = _matching(connection_specs, name), _matching(flow_specs, name)
    if name and not sources and not flows:
        close = get_close_matches(name, map(spec_label, connection_specs), n=3, cutoff=0.6)
        hint = f". Did you mean {' or '.join(close)}?" if close else "."
        raise LookupFailed(f"No connection spec or flow spec matches {name!r}{hint}")
    if name and len(sources) == 1 and not flows:
        spec = service.connection_specs.get(sources[0]["id"])
        found = details(spec, flow_specs, source_kind(service, spec))
        (print_json if as_json else _show)(found)
    elif name and len(flows) == 1 and not sources:
        _show_flow_spec(service.flow_specs.get(flows[0]["id"]), connection_specs, as_json)
    elif as_json:
        print_json({"connection_specs": [*map(_summary, sources)], "flow_specs": [*map(_summary, flows)]})
    else:
        _list(sources, flows, flow_specs)


def _save(file: Path, connection_specs: list[Spec], flow_specs: list[Spec]) -> None:
    kept = {"connectionSpecs": [*map(shareable, connection_specs)], "flowSpecs": [*map(shareable, flow_specs)]}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{len(connection_specs)} connection specs and {len(flow_specs)} flow specs in {file}")


def _matching(found: list[Spec], name: str | None) -> list[Spec]:
    """By id or exact name, or else by a part of name or category; case does not matter."""
    if name is None:
        return found
    wanted = name.lower()
    exact = [each for each in found if wanted in (each["id"], each["name"].lower(), spec_label(each).lower())]
    return exact or [
        each for each in found if wanted in f"{each['name']} {spec_label(each)} {_attribute(each, 'category')}".lower()
    ]


def _attribute(spec: Spec, name: str, default: Any = "") -> Any:
    return (spec.get("attributes") or {}).get(name, default)


def _summary(spec: Spec) -> Spec:
    kept = {name: value for name in ("category", "frequency") if (value := _attribute(spec, name))}
    return {"id": spec["id"], "name": spec_label(spec), **kept}


def _list(sources: list[Spec], flows: list[Spec], flow_specs: list[Spec]) -> None:
    if sources:
        rows = []
        for each in sorted(sources, key=lambda spec: spec_label(spec).lower()):
            ways, accepting = each.get("authSpec") or [], _accepting(each, flow_specs)
            names = (", ".join(spec["name"] for spec in named) for named in (ways, accepting))
            rows.append((spec_label(each), _attribute(each, "category"), *names, each["id"]))
        print_table(
            ("Connection spec", "Category", "Authentication", "Flow spec", "Id"),
            rows,
            drop=("Flow spec", "Authentication", "Category"),
        )
    if sources and flows:
        typer.echo()
    if flows:
        counts = ((each, len(each.get("sourceConnectionSpecIds") or [])) for each in flows)
        rows = [(each["name"], _attribute(each, "frequency"), count, each["id"]) for each, count in counts]
        print_table(("Flow spec", "Frequency", "Sources", "Id"), rows, drop=("Frequency", "Sources"))


def _accepting(spec: Spec, flow_specs: Iterable[Spec]) -> list[Spec]:
    """The flow specs that accept this connection spec as a source."""
    return [each for each in flow_specs if spec["id"] in (each.get("sourceConnectionSpecIds") or [])]


def details(spec: Spec, flow_specs: list[Spec], kind: str) -> Spec:
    """Everything about a connection spec, for scripts and for the terminal."""
    ways = {way["name"]: [*_parameters(way.get("spec"))] for way in spec.get("authSpec") or []}
    source = [*_parameters((spec.get("sourceSpec") or {}).get("spec"))] or [*_parameters(_UNDESCRIBED.get(kind))]
    accepting = _accepting(spec, flow_specs)
    return {
        "id": spec["id"],
        "name": spec_label(spec),
        "version": spec["version"],
        "category": _attribute(spec, "category"),
        "auth": [{"name": way, "parameters": [*map(asdict, parameters)]} for way, parameters in ways.items()],
        "source_parameters": [*map(asdict, source)] if accepting else [],
        "other_arguments": _other_arguments(spec, accepting[0], kind) if accepting else {},
        "flow_specs": [{"id": each["id"], "name": each["name"]} for each in accepting],
        "program": example_program(spec, ways, source, kind) if accepting else "",
    }


def _parameters(schema: Any, root: Any = None, above: str = "") -> Iterator[Parameter]:
    """Required ones first, each before the keys inside it. Secret are those that the spec marks as passwords, or whose
    name says so."""
    from ..engine.arguments import looks_secret

    root = root or schema
    known = _known(schema, root)
    needed = _needed(schema, known)
    for name, part in sorted(known.items(), key=lambda item: item[0] not in needed):
        kinds = part.get("type", "")
        kind = str(kinds[0] if isinstance(kinds, list) and kinds else kinds)
        secret = part.get("format") == "password" or (kind == "string" and looks_secret(name))
        path = f"{above}{name}"
        yield Parameter(path, kind, name in needed, secret, part.get("enum") or [], _placeholder(path, part))
        if path.count(".") < DEEPEST:
            yield from _parameters(part, root, f"{path}.")


def _known(schema: Any, root: Any) -> dict[str, Spec]:
    """The properties that a schema, its forms and what it refers to know, each with what it refers to itself."""
    found: dict[str, Spec] = {}
    for part in parts_of(schema, root):
        found |= {name: each for name, each in properties(part).items() if name not in found}
    return {name: _merged(part, root) for name, part in found.items()}


def _merged(part: Spec, root: Any) -> Spec:
    merged: Spec = {}
    for each in parts_of(part, root):
        merged = each | merged
    merged.pop("$ref", None)  # else it would refer to itself
    return merged


def _needed(schema: Any, known: dict[str, Spec]) -> list[str]:
    """What is required: of several forms, by the first one; and what the placeholders of these bring with them."""
    if not isinstance(schema, dict):
        return []
    forms = [forms[0] for rule in ("anyOf", "oneOf") if isinstance(forms := schema.get(rule), list)]
    found = [name for part in (schema, *forms) for name in required(part)]
    given = {name: _placeholder(name, known.get(name, {})) for name in found}
    missing = (re.match(r"value\.(\w+): is required", text) for text in schema_problems(given, schema, "value", ""))
    return found + [match[1] for match in missing if match]


def _placeholder(path: str, schema: Spec) -> Any:
    """`<path>` where text is taken, else the first value that the schema names or takes."""
    kinds = schema.get("type", "string")
    for given in (schema.get("enum"), [schema["default"]] if "default" in schema else None, schema.get("examples")):
        if isinstance(given, list) and given:
            return given[0]
    kind = "string" if "string" in kinds else kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object":
        known = properties(schema)
        return {name: _placeholder(f"{path}.{name}", known.get(name, {})) for name in _needed(schema, known)}
    if kind == "array":
        items = schema.get("items")
        one = _placeholder(path, items if isinstance(items, dict) else {})
        return [one] * int(schema.get("minItems") or 0)
    least, above = schema.get("minimum", 1), schema.get("exclusiveMinimum")
    if isinstance(above, int | float):  # of draft 4 it is true
        least = above + 1 if above is not True else least + 1
    number = min(least, schema.get("maximum", least))
    return {"integer": number, "number": number, "boolean": False}.get(kind, f"<{path}>")


def _other_arguments(spec: Spec, flow_spec: Spec, kind: str) -> dict[str, str]:
    """Arguments of Source beside `auth` and `params` that this source has, each with what it takes or means."""
    from pydantic.alias_generators import to_camel

    from ..components.source import DeltaColumn, Encryption, SourceArgs
    from ..engine.arguments import fields_of
    from ..engine.schema import sentences
    from ..resources.flow import FlowOptions

    formats = _attribute(spec.get("sourceSpec") or {}, "dataFormats") or [FORMATS[kind]]
    known = {each.get("name") for each in flow_spec.get("transformationSpecs") or []}
    options = properties((flow_spec.get("optionSpec") or {}).get("spec"))
    schedule = properties((flow_spec.get("scheduleSpec") or {}).get("spec"))
    said = sentences(SourceArgs)
    takes = {
        "data.format": ", ".join(formats),
        "data.properties": ", ".join(FILE_PROPERTIES) if kind == "files" else "",
        **{name: text for name, text in said.items() if name not in ("connection_spec", "auth", "params", "data")},
        "schedule": ", ".join(schedule.get("frequency", {}).get("enum") or ["frequency"]) if schedule else "",
        "delta_column": ", ".join(fields_of(DeltaColumn)) if "Copy" in known else "",
        "encryption": ", ".join(fields_of(Encryption)) if "Encryption" in known else "",
        "options": ", ".join(name for name in fields_of(FlowOptions) if to_camel(name) in options),
    }
    missing = ["base_connection_id"] * (not spec.get("authSpec"))
    missing += ["mappings", "mapping_set_id"] * ("Mapping" not in known)
    missing += ["draft"] * (not _attribute(flow_spec, "isDraftModeSupported"))
    return {name: text for name, text in takes.items() if text and name not in missing}


def _show(found: Spec) -> None:
    flow_specs = [("flow spec", f"{each['name']} {each['id']}") for each in found["flow_specs"]]
    _show_facts(found["name"], 10, ("id", found["id"]), ("category", found["category"]), *flow_specs)
    for way in found["auth"]:
        _show_parameters(way["name"], way["parameters"])
    if found["source_parameters"]:
        _show_parameters("Parameters of a source connection", found["source_parameters"])
    if found["other_arguments"]:
        typer.echo("\nOther arguments of Source:")
        print_table(("Argument", "Takes"), found["other_arguments"].items())
    if found["program"]:
        typer.echo(f"\nA program:\n\n{found['program']}", nl=False)


def _show_facts(name: str, width: int, *facts: tuple[str, str]) -> None:
    """Labels of this width and values; behind a value that ends with a well-known id stands its constant."""
    from ._codegen import CONSTANTS

    typer.echo(name)
    for label, value in facts:
        constant = CONSTANTS.get(value.rpartition(" ")[2])
        typer.echo(f"  {label:<{width}} {value}" + (f" ({constant})" if constant else ""))


def _show_parameters(title: str, parameters: list[Spec]) -> None:
    typer.echo(f"\n{title}:")
    heads = ["Parameter", "Type", "Required", "Secret", "One of"]
    if not any(each["allowed"] for each in parameters):
        heads.remove("One of")
    rows = []
    for each in parameters:
        required, secret = ("yes" if each[name] else "" for name in ("required", "secret"))
        rows.append((each["name"], each["type"], required, secret, ", ".join(map(str, each["allowed"]))))
    print_table(heads, (row[: len(heads)] for row in rows))


def _show_flow_spec(spec: Spec, connection_specs: list[Spec], as_json: bool) -> None:
    sources = [spec_label(each) for each in connection_specs if _accepting(each, [spec])]
    transformations = [each["name"] for each in spec.get("transformationSpecs") or []]
    scheduled = "scheduleSpec" in spec
    if as_json:
        more = {"transformations": transformations, "sources": sources, "scheduled": scheduled}
        print_json(_summary(spec) | more)
        return
    _show_facts(
        spec["name"],
        15,
        ("id", spec["id"]),
        ("frequency", _attribute(spec, "frequency")),
        ("schedule", "yes" if scheduled else "no"),
        ("transformations", ", ".join(transformations) or "none"),
        ("sources", ", ".join(sources)),
    )


def example_program(spec: Spec, ways: dict[str, list[Parameter]], source: list[Parameter], kind: str) -> str:
    """A program for this source, with its first way to authenticate. Secrets are config, <…> is to be replaced."""
    from ._codegen import Code, render_resource, slugify, with_constants

    name, settings = slugify(spec_label(spec)), dict[str, str]()

    def secret(key: str) -> Any:
        settings[key] = f"# pulumi config set --secret {name}-{key}"
        return Code(f'config.require_secret("{name}-{key}")')

    def values(parameters: list[Parameter]) -> dict[str, Any]:
        required = [each for each in parameters if each.required and "." not in each.name]
        return {each.name: secret(each.name) if each.secret else each.placeholder for each in required}

    arguments: dict[str, Any] = {"connection_spec": with_constants(spec["id"])}
    for way, parameters in [*ways.items()][:1]:
        arguments["auth"] = {"spec_name": way, "params": values(parameters)}
    formats = ((spec.get("sourceSpec") or {}).get("attributes") or {}).get("dataFormats") or [FORMATS[kind]]
    arguments["data"] = {"format": formats[0]}
    if params := values(source):
        arguments["params"] = params
    arguments |= {"fields": {"email": {"type": "string"}}, "mappings": _MAPPINGS}
    if kind != "stream":
        arguments["schedule"] = {"frequency": "day", "interval": 1}
    variable = name.replace("-", "_")
    lines = [*settings.values(), "import pulumi", "import pulumi_aep as aep", ""]
    lines += ["config = pulumi.Config()"] if settings else []
    lines += [render_resource(variable, "Source", name, arguments)]
    lines += [f'pulumi.export("dataset", {variable}.dataset.id)']
    if kind == "stream" and (not ways or spec["id"] == ConnectionSpec.HTTP_API):  # data is sent to it
        lines += [f'pulumi.export("inlet", {variable}.inlet_url)']
    return "\n".join(lines) + "\n"


_MAPPINGS = [
    {"source": "id", "destination": "_id"},
    {"source": "created", "destination": "timestamp"},
    {"source": "email", "destination": "_{tenantId}.email"},
]
"""The mapping of an example: it fills what events need, from the records that the emulator's sources have."""
