"""`pulumi-aep specs [NAME]`: the kinds of sources that the organization has, and what each asks for."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from ..constants import ConnectionSpec, FlowSpec
from ..errors import LookupFailed
from ..sources.preview import kind_of
from ._output import Json, print_json, print_table, progress
from ._session import Session, Stack

Spec = dict[str, Any]
FORMATS = {"files": "delimited", "tables": "tabular", "rest": "json", "stream": "json"}
_USUAL: dict[str, dict[str, Any]] = {
    "files": {"path": "/folder/file.csv", "type": "file"},
    "tables": {"tableName": "<table>", "path": "<table>"},
}
"""Parameters of sources whose spec does not describe them (docs tutorials/api/collect)."""

_EXAMPLES = {"projectId": "2384945", "timezone": "America/Los_Angeles"}
_OF_TYPES: dict[str, Any] = {"integer": 1, "number": 1, "boolean": False, "object": {}, "array": []}


@dataclass(frozen=True)
class Parameter:
    """What a source asks for."""

    name: str
    type: str
    required: bool
    secret: bool
    allowed: list[Any]


def specs(
    name: Annotated[
        str | None, typer.Argument(help="Name, part of a name, or id of a connection or flow spec.")
    ] = None,
    stack: Stack = None,
    as_json: Json = False,
) -> None:
    """List the kinds of sources, or all that one asks for.

    The organization's connection specs and flow specs; of a single one its parameters, and a program.

    \b
    Examples:
      pulumi-aep specs cloud
      pulumi-aep specs Mixpanel
    """
    service = Session(stack).client.flow_service
    with progress("reading the specs", as_json):
        connection_specs, flow_specs = list(service.connection_specs.find()), list(service.flow_specs.find())
    sources, flows = _matching(connection_specs, name), _matching(flow_specs, name)
    if name and not sources and not flows:
        close = get_close_matches(name, [each["name"] for each in connection_specs], n=3, cutoff=0.4)
        hint = f"; is it {' or '.join(close)}?" if close else ""
        raise LookupFailed(f"no connection spec or flow spec is named like {name!r}{hint}")
    if name and len(sources) == 1 and not flows:
        spec = service.connection_specs.get(sources[0]["id"])
        told = _told(spec, flow_specs, kind_of(service, spec))
        if as_json:
            print_json(told)
        else:
            _show(spec, told)
    elif name and len(flows) == 1 and not sources:
        _show_flow_spec(service.flow_specs.get(flows[0]["id"]), connection_specs, as_json)
    elif as_json:
        print_json({"connectionSpecs": [*map(_brief, sources)], "flowSpecs": [*map(_brief, flows)]})
    else:
        _list(sources, flows, flow_specs)


def _matching(found: list[Spec], name: str | None) -> list[Spec]:
    """By id, exact name, or else a part of name or category, in any case."""
    if name is None:
        return found
    exact = [each for each in found if name.lower() in (each["id"], each["name"].lower())]
    return exact or [
        each for each in found if name.lower() in f"{each['name']} {_attributes(each).get('category', '')}".lower()
    ]


def _attributes(spec: Spec) -> Spec:
    return spec.get("attributes") or {}


def _brief(spec: Spec) -> Spec:
    kept = {name: value for name, value in _attributes(spec).items() if name in ("category", "frequency")}
    return {"id": spec["id"], "name": spec["name"], **kept}


def _list(sources: list[Spec], flows: list[Spec], flow_specs: list[Spec]) -> None:
    if sources:
        heads = ("Connection spec", "Category", "Authentication", "Flow spec", "Id")
        rows = []
        for each in sorted(sources, key=lambda spec: spec["name"].lower()):
            ways = ", ".join(way["name"] for way in each.get("authSpec") or [])
            fitting = ", ".join(spec["name"] for spec in _fitting(each, flow_specs))
            rows.append((each["name"], _attributes(each).get("category", ""), ways, fitting, each["id"]))
        print_table(heads, rows)
    if sources and flows:
        typer.echo()
    if flows:
        counts = ((each, len(each.get("sourceConnectionSpecIds") or [])) for each in flows)
        print_table(
            ("Flow spec", "Frequency", "Sources", "Id"),
            ((each["name"], _attributes(each).get("frequency", ""), count, each["id"]) for each, count in counts),
        )


def _fitting(spec: Spec, flow_specs: Iterable[Spec]) -> list[Spec]:
    return [each for each in flow_specs if spec["id"] in (each.get("sourceConnectionSpecIds") or [])]


# ---- one connection spec ----


def _told(spec: Spec, flow_specs: list[Spec], kind: str) -> Spec:
    """Everything about a connection spec, for scripts and as what is printed."""
    ways = {way["name"]: [*_parameters(way.get("spec") or {})] for way in spec.get("authSpec") or []}
    source = [*_parameters((spec.get("sourceSpec") or {}).get("spec") or {})]
    return {
        "id": spec["id"],
        "name": spec["name"],
        "version": spec["version"],
        "category": _attributes(spec).get("category", ""),
        "auth": [{"name": way, "parameters": [*map(asdict, asked)]} for way, asked in ways.items()],
        "sourceParameters": [*map(asdict, source)],
        "flowSpecs": [{"id": each["id"], "name": each["name"]} for each in _fitting(spec, flow_specs)],
        "program": program(spec, ways, source, kind),
    }


def _parameters(schema: Spec) -> Iterator[Parameter]:
    """Required ones first. Secret is what the spec marks as a password, or what looks like one by its name."""
    from ..resources.base_connection import looks_secret

    required = schema.get("required") or []
    for name, part in sorted((schema.get("properties") or {}).items(), key=lambda item: item[0] not in required):
        kinds = part.get("type", "")
        kind = kinds[0] if isinstance(kinds, list) else str(kinds)
        secret = part.get("format") == "password" or (kind == "string" and looks_secret(name))
        yield Parameter(name, kind, name in required, secret, part.get("enum") or [])


def _show(spec: Spec, told: Spec) -> None:
    about = [("id", spec["id"], _constant(ConnectionSpec, spec["id"])), ("category", told["category"], "")]
    about += [
        ("flow spec", f"{each['name']} {each['id']}", _constant(FlowSpec, each["id"])) for each in told["flowSpecs"]
    ]
    typer.echo(spec["name"])
    for label, value, constant in about:
        typer.echo(f"  {label:<10} {value}{f' (aep.{constant})' if constant else ''}")
    for way in told["auth"]:
        typer.echo(f"\n{way['name']}:")
        _show_parameters(way["parameters"])
    if told["sourceParameters"]:
        typer.echo("\nParameters of a source connection:")
        _show_parameters(told["sourceParameters"])
    typer.echo(f"\nA program:\n\n{told['program']}", nl=False)


def _show_parameters(parameters: list[Spec]) -> None:
    yes = {True: "yes", False: ""}
    heads = ("Parameter", "Type", "Required", "Secret", "One of")
    rows = [
        (each["name"], each["type"], yes[each["required"]], yes[each["secret"]], ", ".join(map(str, each["allowed"])))
        for each in parameters
    ]
    count = 5 if any(row[-1] for row in rows) else 4
    print_table(heads[:count], (row[:count] for row in rows))


def _constant(home: type, spec_id: str) -> str:
    return next((f"{home.__name__}.{name}" for name, value in vars(home).items() if value == spec_id), "")


def _show_flow_spec(spec: Spec, connection_specs: list[Spec], as_json: bool) -> None:
    taken = [each["name"] for each in connection_specs if each["id"] in (spec.get("sourceConnectionSpecIds") or [])]
    parts = [each["name"] for each in spec.get("transformationSpecs") or []]
    if as_json:
        print_json({**_brief(spec), "transformations": parts, "sources": taken, "scheduled": "scheduleSpec" in spec})
        return
    constant = _constant(FlowSpec, spec["id"])
    typer.echo(spec["name"])
    typer.echo(f"  id              {spec['id']}{f' (aep.{constant})' if constant else ''}")
    typer.echo(f"  frequency       {_attributes(spec).get('frequency', '')}")
    typer.echo(f"  schedule        {'yes' if 'scheduleSpec' in spec else 'no'}")
    typer.echo(f"  transformations {', '.join(parts) or 'none'}")
    typer.echo(f"  sources         {', '.join(taken)}")


# ---- a program ----


class _Code(str):
    """Text that is code, not a value."""


def program(spec: Spec, ways: dict[str, list[Parameter]], source: list[Parameter], kind: str) -> str:
    """Resources for this source, by its first way to authenticate. Secrets are config, what to replace is in <…>."""
    name = re.sub(r"[^a-z0-9]+", "-", spec["name"].lower()).strip("-")
    given = {"connection_spec": _reference(ConnectionSpec, spec["id"])}
    if not _attributes(spec).get("isSource", True):
        keys = {"dataset_id": f"{name}-datasetId", "schema_id": f"{name}-schemaId"}
        ids = {argument: _Code(f'config.require("{key}")') for argument, key in keys.items()}
        return _program([_call("target", "TargetConnection", name, ids | given)], [*keys.values()])
    calls, base = [], {}
    asked = [each for each in next(iter(ways.values()), []) if each.required]
    secrets = [f"{name}-{each.name}" for each in asked if each.secret]
    for way in [*ways][:1]:
        values = {each.name: _value(each, name) for each in asked}
        auth = {"spec_name": way, "params": values}
        calls.append(_call("base", "BaseConnection", name, given | {"auth": auth}))
        base = {"base_connection_id": _Code("base.id")}
    params = {each.name: _value(each, name) for each in source if each.required} or _USUAL.get(kind, {})
    data = {"data": {"format": FORMATS[kind]}}
    calls.append(
        _call("source", "SourceConnection", name, base | given | data | ({"params": params} if params else {}))
    )
    return _program(calls, [], secrets)


def _program(calls: list[str], settings: list[str], secrets: Sequence[str] = ()) -> str:
    heads = ["import pulumi", "import pulumi_aep as aep", "", "config = pulumi.Config()"]
    used = heads if settings or secrets else [heads[1], ""]
    needed = [f"# pulumi config set {key} …" for key in settings]
    needed += [f"# pulumi config set --secret {key}" for key in secrets]
    return "\n".join([*needed, *used, *calls]) + "\n"


def _call(variable: str, kind: str, name: str, arguments: dict[str, Any]) -> str:
    lines = [f"    {key}={_rendered(value, 1)}," for key, value in arguments.items()]
    return "\n".join([f"{variable} = aep.{kind}(", f"    {_rendered(name, 1)},", *lines, ")"])


def _rendered(value: Any, depth: int) -> str:
    """Python as ruff writes it; a dict of several keys has a line for each."""
    if isinstance(value, _Code):
        return value
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    pairs = [f"{_rendered(key, 0)}: {_rendered(each, depth + 1)}" for key, each in value.items()]
    if len(pairs) < 2 and not any("\n" in pair for pair in pairs):
        return f"{{{', '.join(pairs)}}}"
    inner = "".join(f"{'    ' * (depth + 1)}{pair},\n" for pair in pairs)
    return f"{{\n{inner}{'    ' * depth}}}"


def _reference(home: type, spec_id: str) -> Any:
    constant = _constant(home, spec_id)
    return _Code(f"aep.{constant}") if constant else spec_id


def _value(parameter: Parameter, name: str) -> Any:
    if parameter.secret:
        return _Code(f'config.require_secret("{name}-{parameter.name}")')
    if parameter.allowed:
        return parameter.allowed[0]
    return _EXAMPLES.get(parameter.name, _OF_TYPES.get(parameter.type, f"<{parameter.name}>"))
