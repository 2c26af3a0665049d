"""What an exported program says shorter: chains of resources that are one `aep.Source` each, values said once."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from ..components.source import SourceArgs
from ..engine.arguments import fields_of
from ._codegen import Call, Code, GeneratedResource, render

_OF_FLOW = ("flow_spec", "schedule", "options", "enabled", "draft", "labels")
_OF_THE_SOURCE = {
    "base_connection": ("connection_spec", "auth"),
    "source_connection": ("connection_spec", "data", "params", "base_connection_id"),
    "field_group": ("fields", "class_ids"),
    "schema": ("class_id", "field_group_ids"),
    "dataset": ("schema_id",),
    "target_connection": ("dataset_id", "schema_id"),
    "mapping_set": ("schema_id", "mappings"),
    "flow": ("source_connection_id", "target_connection_id", "mapping", "transformations", *_OF_FLOW),
}
"""Part → its arguments that a Source takes or wires."""

_TAKEN = {"connection_spec", "auth", "data", "params", "fields", "class_id", "mappings", *_OF_FLOW}
"""Those that a Source takes by the same name."""

_OWN = ("name", "title", "description")

Parts = dict[str, GeneratedResource]


def with_sources(resources: list[GeneratedResource]) -> list[GeneratedResource]:
    """The resources, with a Source in the place of each chain that fits."""
    known = {each.variable: each for each in resources}
    sources, inside = {}, set[str]()
    for flow in resources:
        chain = _chain(flow, known) if flow.kind == "Flow" else {}
        own = _used_only_inside(chain, resources)
        if source := _source(chain, own, known):
            sources[flow.variable] = source
            inside |= {each.variable for each in own.values()}
    return [sources.get(each.variable, each) for each in resources if each.variable not in inside - sources.keys()]


def _chain(flow: GeneratedResource, known: dict[str, GeneratedResource]) -> Parts:
    """The parts that the flow's references lead to."""
    chain = {"flow": flow}
    for part, holder, argument in (
        ("source_connection", "flow", "source_connection_id"),
        ("target_connection", "flow", "target_connection_id"),
        ("mapping_set", "flow", "mapping"),
        ("base_connection", "source_connection", "base_connection_id"),
        ("dataset", "target_connection", "dataset_id"),
        ("schema", "dataset", "schema_id"),
        ("field_group", "schema", "field_group_ids"),
    ):
        value = chain[holder].arguments.get(argument) if holder in chain else None
        reference = value[0] if isinstance(value, list) and value else value
        if isinstance(reference, Code) and (found := known.get(reference.text.removesuffix(".id"))):
            chain[part] = found
    return chain


def _used_only_inside(chain: Parts, resources: list[GeneratedResource]) -> Parts:
    """The parts that nothing else uses, directly or not."""
    own = dict(chain)
    while True:
        members = {each.variable for each in own.values()}
        used = {variable for each in resources if each.variable not in members for variable in each.uses}
        kept = {part: each for part, each in own.items() if each.variable not in used}
        if len(kept) == len(own):
            return own
        own = kept


def _source(chain: Parts, own: Parts, known: Collection[str]) -> GeneratedResource | None:
    """The chain as a Source; None if a Source would wire it in another way, or lacks an argument."""
    if not {"flow", "source_connection", "target_connection"} <= own.keys() or not _fits(chain, own):
        return None
    flow = own["flow"]
    arguments = {
        name: value
        for part in _OF_THE_SOURCE
        if part in own
        for name, value in own[part].arguments.items()
        if name in _TAKEN
    }
    for part in ("base_connection", "dataset", "schema", "mapping_set"):
        if part in chain and part not in own and not (part == "schema" and "dataset_id" in arguments):
            arguments[f"{part}_id"] = Code(f"{chain[part].variable}.id")
    groups = own["schema"].arguments.get("field_group_ids", []) if "schema" in own else []
    if others := groups[1:] if "field_group" in own else groups:
        arguments["field_group_ids"] = others
    if copied := flow.arguments.get("transformations"):
        arguments["delta_column"] = _delta_column(copied)
    title = flow.arguments.get("name")
    named = {part: _named(part, own[part], title or flow.name) for part in _OF_THE_SOURCE if part in own}
    arguments |= {"parts": Call("parts", [flow.name], _described_once(named))}
    arguments |= {"title": title} if title else {}
    ordered = {name: arguments[name] for name in ("title", *fields_of(SourceArgs)) if name in arguments}
    return replace(
        flow,
        kind="Source",
        arguments=ordered,
        parts={part: own[part].found.id for part in named},
        uses=sorted({code.partition(".")[0] for code in _codes(ordered)} & set(known)),
        secrets=[key for each in own.values() for key in each.secrets],
        notes=[f"{part}: {note}" for part, each in own.items() for note in each.notes],
    )


def _named(part: str, resource: GeneratedResource, title: str) -> dict[str, Any]:
    """How a part is called and described, where a Source would not call it so."""
    said = resource.arguments
    name = said.get("name", said.get("title", resource.name))
    expected = f"{title} fields" if part == "field_group" else title
    named = {} if part == "mapping_set" or name == expected else {"name": name}
    return named | ({"description": said["description"]} if "description" in said else {})


def _described_once(named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the parts have of their own: a description that all share (a mapping set has none) is said once."""
    first, *others = (each.get("description") for part, each in named.items() if part != "mapping_set")
    shared = {"description": first} if first and all(each == first for each in others) else {}
    own = {part: {name: each[name] for name in each if name not in shared} for part, each in named.items()}
    return shared | {part: each for part, each in own.items() if each}


def _delta_column(transformations: list[Any]) -> dict[str, Any] | None:
    """The delta column of a flow with no other transformation than that and its mapping."""
    if len(transformations) != 1 or transformations[0]["params"].keys() != {"deltaColumn"}:
        return None
    wire = transformations[0]["params"]["deltaColumn"]
    if not isinstance(wire, dict) or wire.keys() - {"name", "dateFormat", "timezone"}:
        return None
    return {"date_format" if key == "dateFormat" else key: value for key, value in wire.items()}


def _codes(value: Any) -> Iterator[str]:
    if isinstance(value, Code):
        yield value.text
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _codes(part)


def _fits(chain: Parts, own: Parts) -> bool:
    if any(each.arguments.keys() - {*_OF_THE_SOURCE[part], *_OWN} for part, each in own.items()):
        return False
    return all(_wired_alike(chain, own))


def _wired_alike(chain: Parts, own: Parts) -> Iterator[bool]:
    said = {part: each.arguments for part, each in chain.items()}
    yield "dataset" in chain and "schema" in chain
    schema = said.get("dataset", {}).get("schema_id")
    yield said["target_connection"].get("schema_id") == schema
    yield "mapping_set" not in said or said["mapping_set"].get("schema_id") == schema
    yield "base_connection" not in said or "auth" in said["base_connection"] or "base_connection" not in own
    yield said.get("base_connection", said["source_connection"]).get("connection_spec") == said[
        "source_connection"
    ].get("connection_spec")
    transformations = said["flow"].get("transformations")
    yield not transformations or _delta_column(transformations) is not None
    if "field_group" in own:
        yield (said["field_group"].get("class_ids") or [None]) == [said["schema"].get("class_id")]


def shared_values(resources: list[GeneratedResource], width: float) -> tuple[list[GeneratedResource], dict[str, Any]]:
    """The resources with a constant for each long value that several have, and the constants."""
    long = [
        (name, value)
        for each in resources
        for name, value in each.arguments.items()
        if isinstance(value, dict | list) and "\n" in render(value, 4, len(name) + 1, width) and not [*_codes(value)]
    ]
    constants: dict[str, Any] = {}
    for name, value in long:
        if long.count((name, value)) > 1 and value not in constants.values():
            number = sum(each.startswith(name.upper()) for each in constants) + 1
            constants[f"{name.upper()}_{number}" if number > 1 else name.upper()] = value
    names = {render(value): constant for constant, value in constants.items()}
    shorter = []
    for each in resources:
        codes = {name: names.get(render(value)) for name, value in each.arguments.items() if (name, value) in long}
        found = {name: Code(code) for name, code in codes.items() if code}
        uses = [*each.uses, *(code.text for code in found.values())]
        shorter.append(replace(each, arguments={**each.arguments, **found}, uses=uses))
    return shorter, constants
