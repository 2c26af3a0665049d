"""What others change through the services themselves: every managed field is seen by a refresh and mended by an up.

What there is to change is taken from the models: a field without an entry fails the test, as does an entry that no
field asks for. What nobody manages never shows.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args
from urllib.parse import quote

import pytest

from plugin.life import OWNER, Life
from plugin.programs import LATER, named, programs
from pulumi_aep.engine.arguments import Arguments, Part
from pulumi_aep.engine.reconciler import Provider
from pulumi_aep.engine.values import Props
from pulumi_aep.resources import KINDS
from support.emulator import CATALOG, DATA_PREP, EXPERIENCE_EVENT, FLOW, REGISTRY, Emulator
from support.mixpanel import Chain, dataset, make_chain, schema

PROFILE = "https://ns.adobe.com/xdm/context/profile"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


class Where(NamedTuple):
    """The object that others change, and the chain beside it."""

    emulator: Emulator
    id: str
    chain: Chain


Act = Callable[[Where], None]


class Seen(NamedTuple):
    """A change from outside, and what the next up does about it."""

    act: Act
    mended: str = "update"


class Closed(NamedTuple):
    """A field that nobody can change once the object exists, or whose change nobody can see."""

    reason: str


NOT_PATCHED = Closed("no PATCH of the service reaches it")
SPEC_FIXED = Closed("the service refuses to change the spec of an object (FLOW-1414)")

# ---- other clients ----


def flow_service(collection: str, *operations: tuple[str, str, Any]) -> Act:
    def act(where: Where) -> None:
        path = f"{FLOW}/{collection}/{where.id}"
        etag = where.emulator.request("GET", path).json()["items"][0]["etag"]
        body = [{"op": op, "path": pointer, "value": value} for op, pointer, value in operations]
        where.emulator.request("PATCH", path, body, headers={"If-Match": etag}).raise_for_status()

    return act


def registry(collection: str, *operations: tuple[str, str, Any]) -> Act:
    def act(where: Where) -> None:
        path = f"{REGISTRY}/tenant/{collection}/{quote(where.id, safe='')}"
        body = [{"op": op, "path": pointer, **_value(value)} for op, pointer, value in operations]
        where.emulator.request("PATCH", path, body).raise_for_status()

    return act


def catalog(*operations: tuple[str, str, Any]) -> Act:
    def act(where: Where) -> None:
        body = [{"op": op, "path": pointer, **_value(value)} for op, pointer, value in operations]
        path = f"{CATALOG}/dataSets/{where.id}"
        where.emulator.request("PATCH", path, body, headers=JSON_PATCH).raise_for_status()

    return act


def _value(value: Any) -> dict[str, Any]:
    return {} if value is GONE else {"value": value}


GONE = object()


def mapping_set(edit: Callable[[dict[str, Any]], Any]) -> Act:
    """Read, edit, write as a whole, in the newer generation of names."""

    def act(where: Where) -> None:
        path = f"{DATA_PREP}/mappingSets/{where.id}"
        item = where.emulator.request("GET", path).json()
        keys = ("sourceType", "source", "destination", "name", "description", "identity", "identityGroup")
        lines = [{key: line[key] for key in keys if key in line} for line in item["mappings"]]
        body = {"outputSchema": {"schemaRef": item["outputSchema"]["schemaRef"]}, "mappings": lines}
        edit(body)
        where.emulator.request("PUT", path, body).raise_for_status()

    return act


def first_line(**values: Any) -> Act:
    return mapping_set(lambda body: body["mappings"][0].update(values))


def second_line(**values: Any) -> Act:
    return mapping_set(lambda body: body["mappings"][1].update(values))


def action(operation: str) -> Act:
    def act(where: Where) -> None:
        where.emulator.request("POST", f"{FLOW}/flows/{where.id}/action?op={operation}").raise_for_status()

    return act


def other_schema(where: Where) -> str:
    body = schema(where.chain.group, title="another schema")
    return str(where.emulator.request("POST", f"{REGISTRY}/tenant/schemas", body).json()["$id"])


def move_mappings(where: Where) -> None:
    schema_id = other_schema(where)
    mapping_set(lambda body: body["outputSchema"]["schemaRef"].update(id=schema_id))(where)


def retarget(where: Where) -> None:
    body = dataset(where.chain.schema, "another dataset")
    other = where.emulator.request("POST", f"{CATALOG}/dataSets", body).json()[0].rsplit("/", 1)[1]
    flow_service("targetConnections", ("replace", "/params", {"dataSetId": other}))(where)


def remap(where: Where) -> None:
    mapping_set(lambda body: None)(where._replace(id=where.chain.mapping))
    transformation = {"name": "Mapping", "params": {"mappingId": where.chain.mapping, "mappingVersion": 1}}
    flow_service("flows", ("replace", "/transformations/0", transformation))(where)


def described(owner: str = OWNER, text: str = "of the shop") -> str:
    return f"{text}\n[pulumi: {owner}]" if owner else text


def texts(patch: Callable[..., Act], *collection: str, name: str = "name") -> dict[str, list[Seen] | Closed]:
    """Name or title, description and owner, of every kind that has them."""
    where = "/description"
    return {
        name: [Seen(patch(*collection, ("replace", f"/{name}", "by hand")))],
        "description": [
            Seen(patch(*collection, ("replace", where, described(text="by hand")))),
            Seen(patch(*collection, ("replace", where, f"[pulumi: {OWNER}]"))),
        ],
        "owner": [
            Seen(patch(*collection, ("replace", where, described("")))),
            Seen(patch(*collection, ("replace", where, described("shop/prod/web#ba9876543210")))),
        ],
    }


FIELDS = "/definitions/customFields/properties/_emulator/properties"
DELETED_LINE = mapping_set(lambda body: body["mappings"].pop())
ADDED_LINE = mapping_set(
    lambda body: body["mappings"].append({"sourceType": "STATIC", "source": "x", "destination": "eventType"})
)
OUTSIDE: dict[str, dict[str, list[Seen] | Closed]] = {
    "BaseConnection": {
        **texts(flow_service, "connections"),
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "auth.spec_name": NOT_PATCHED,
        "auth.params": [
            Seen(flow_service("connections", ("replace", "/auth/params/username", "by hand"))),
            Seen(flow_service("connections", ("replace", "/auth/params/host", "https://elsewhere.example"))),
        ],
    },
    "SourceConnection": {
        **texts(flow_service, "sourceConnections"),
        "base_connection_id": NOT_PATCHED,
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "data.format": NOT_PATCHED,
        "data.properties": NOT_PATCHED,
        "params": [Seen(flow_service("sourceConnections", ("replace", "/params/projectId", "1")), "replace")],
    },
    "TargetConnection": {
        **texts(flow_service, "targetConnections"),
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "dataset_id": [Seen(retarget, "replace")],
        "schema_id": NOT_PATCHED,
        "data.format": NOT_PATCHED,
    },
    "Flow": {
        **texts(flow_service, "flows"),
        "flow_spec.id": NOT_PATCHED,
        "flow_spec.version": NOT_PATCHED,
        "source_connection_id": NOT_PATCHED,
        "target_connection_id": NOT_PATCHED,
        "transformations[]": NOT_PATCHED,
        "transformations[].name": Closed("flow specs for generic REST sources have the transformation Mapping alone"),
        "transformations[].params": [Seen(remap)],
        "schedule.start_time": [Seen(flow_service("flows", ("replace", "/scheduleParams/startTime", LATER + 60)))],
        "schedule.frequency": [Seen(flow_service("flows", ("replace", "/scheduleParams/frequency", "day")))],
        "schedule.interval": [Seen(flow_service("flows", ("replace", "/scheduleParams/interval", 3)))],
        "schedule.backfill": NOT_PATCHED,
        "options.error_diagnostics_enabled": NOT_PATCHED,
        "options.partial_ingestion_percent": NOT_PATCHED,
        "enabled": [Seen(action("disable"))],
    },
    "MappingSet": {
        # It has no place of its own: another resource name there, or none, is no reason for a new version.
        "owner": [Seen(first_line(description="who\n[pulumi: shop/prod/web#ba9876543210]"))],
        "schema_id": [Seen(move_mappings, "replace")],
        "mappings[]": [Seen(DELETED_LINE), Seen(ADDED_LINE)],
        "mappings[].source": [Seen(first_line(source="properties.other"))],
        "mappings[].destination": [Seen(first_line(destination="_emulator.event_name"))],
        "mappings[].source_type": [Seen(first_line(sourceType="EXPRESSION"))],
        "mappings[].name": [Seen(first_line(name="by hand")), Seen(first_line(name=None))],
        "mappings[].description": [Seen(first_line(description="by hand")), Seen(first_line(description=None))],
    },
    "FieldGroup": {
        **texts(registry, "fieldgroups", name="title"),
        "fields": [
            Seen(registry("fieldgroups", ("replace", f"{FIELDS}/item/title", "by hand"))),
            Seen(registry("fieldgroups", ("replace", f"{FIELDS}/item/enum", ["a", "b", "c"]))),
            Seen(registry("fieldgroups", ("remove", f"{FIELDS}/item/title", GONE))),
            Seen(registry("fieldgroups", ("remove", f"{FIELDS}/item", GONE))),
            Seen(registry("fieldgroups", ("remove", f"{FIELDS}/shop/properties/open", GONE))),
            Seen(registry("fieldgroups", ("replace", f"{FIELDS}/item", {"type": "integer"})), "replace"),
            Seen(registry("fieldgroups", ("replace", f"{FIELDS}/shop/properties/open/type", "string")), "replace"),
        ],
        "class_ids": [
            Seen(registry("fieldgroups", ("replace", "/meta:intendedToExtend", [EXPERIENCE_EVENT])), "replace")
        ],
    },
    "Schema": {
        **texts(registry, "schemas", name="title"),
        "class_id": [Seen(registry("schemas", ("replace", "/allOf", [{"$ref": PROFILE}])), "replace")],
        "field_group_ids": [Seen(registry("schemas", ("remove", "/allOf/1", GONE)))],
    },
    "Dataset": {
        **texts(catalog),
        "schema_id": Closed("Catalog lets nobody change the schema of a dataset"),
        "tags": [
            Seen(catalog(("replace", "/tags/team", ["others"]))),
            Seen(catalog(("remove", "/tags/a~1b", GONE))),
            Seen(catalog(("remove", "/tags", GONE))),
        ],
    },
}

UNMANAGED: dict[str, list[Act]] = {
    "BaseConnection": [flow_service("connections", ("replace", "/auth/params/password", "somebody-else's"))],
    "SourceConnection": [flow_service("sourceConnections", ("add", "/params/filters", {"a": 1}))],
    "TargetConnection": [],
    "Flow": [flow_service("flows", ("add", "/labels", ["core/C12"])), action("enable")],
    "MappingSet": [
        mapping_set(lambda body: body.update(name="their name", allowNullValues=True)),
        second_line(name="theirs", description="theirs", identity=True, identityGroup="email"),
        mapping_set(lambda body: body["mappings"].reverse()),
    ],
    "FieldGroup": [
        registry("fieldgroups", ("add", f"{FIELDS}/theirs", {"type": "string"})),
        registry("fieldgroups", ("add", f"{FIELDS}/shop/properties/theirs", {"type": "string"})),
        registry("fieldgroups", ("add", f"{FIELDS}/item/meta:xdmType", "string")),
        registry("fieldgroups", ("replace", "/meta:intendedToExtend", [PROFILE, EXPERIENCE_EVENT])),
    ],
    "Schema": [registry("schemas", ("add", "/meta:immutableTags", ["union"]))],
    "Dataset": [
        catalog(("add", "/tags/adobe~1pqs~1table", ["web"]), ("add", "/enableErrorDiagnostics", True)),
        catalog(("replace", "/tags/team", ["web", "shop"])),
    ],
}
"""What the program says nothing about; some only in another order."""

# ---- the matrix ----

RESOURCES = {resource.__name__: resource.provider for resource in KINDS}


def managed(model: type[Part], prefix: str = "") -> Iterator[str]:
    """The path of every managed field: `schedule.interval`, `mappings[]` (which lines), `mappings[].source`."""
    hidden = set[str]()
    if issubclass(model, Arguments):
        hidden = model.fields_that("are options") | model.fields_that("are ignored")
    for name, field in model.model_fields.items():
        if name in hidden:
            continue
        part, many = next(parts(field.annotation), None), "list[" in str(field.annotation)
        if part is None:
            yield f"{prefix}{name}"
            continue
        if many:
            yield f"{prefix}{name}[]"
        yield from managed(part, f"{prefix}{name}{'[]' if many else ''}.")


def parts(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


def changes() -> Iterator[Any]:
    for kind, fields in OUTSIDE.items():
        for field, seen in fields.items():
            for number, each in enumerate(() if isinstance(seen, Closed) else seen):
                yield pytest.param(kind, each, id=f"{kind} {field} {number}")


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_managed_field_has_an_entry(kind: str, emulator: Emulator) -> None:
    assert sorted(OUTSIDE[kind]) == sorted(managed(RESOURCES[kind].arguments))
    program = programs(make_chain(emulator))[RESOURCES[kind]]
    given = {path.split(".")[0].removesuffix("[]") for path in OUTSIDE[kind]}
    assert given == {*program, "owner"}, "the programs give every field"


@pytest.fixture
def chain(emulator: Emulator) -> Chain:
    return make_chain(emulator)


def made(kind: type[Provider], life: Callable[..., Life], chain: Chain) -> tuple[Life, Props]:
    resource, program = life(kind), programs(chain)[kind]
    assert resource.up(program) == "create"
    assert resource.preview(program) == "same"
    return resource, program


def settled(resource: Life, program: Props, inputs: Props) -> None:
    """Nothing to do, before and after a refresh; the inputs are those of the program again."""
    assert resource.preview(program) == "same"
    assert resource.refresh()
    assert resource.inputs == inputs
    assert resource.preview(program) == "same"


@pytest.mark.parametrize(("kind", "seen"), list(changes()))
def test_a_change_from_outside(
    kind: str, seen: Seen, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    resource, program = made(RESOURCES[kind], life, chain)
    wanted, before = resource.inputs, resource.id
    seen.act(Where(emulator, resource.id, chain))
    assert resource.refresh()
    assert resource.inputs != wanted, "the refresh shows it"
    assert resource.preview(program) == seen.mended
    assert resource.up(program) == seen.mended
    assert (resource.id == before) is (seen.mended == "update")
    settled(resource, program, wanted)


@pytest.mark.parametrize("kind", RESOURCES)
def test_what_is_not_ours_never_shows_and_stays(
    kind: str, life: Callable[..., Life], chain: Chain, emulator: Emulator
) -> None:
    """Masks, echoes as text, defaults of the service and another order are in every answer of the emulator."""
    resource, program = made(RESOURCES[kind], life, chain)
    wanted = resource.inputs
    settled(resource, program, wanted)
    for act in UNMANAGED[kind]:
        act(Where(emulator, resource.id, chain))
    theirs = _whole(resource)
    settled(resource, program, wanted)
    changed = named(program, "renamed")
    if kind == "MappingSet":
        line = {"source": "properties.time", "destination": "_{tenantId}.time"}
        changed = {**program, "mappings": [*program["mappings"], line]}
    assert resource.up(changed) == "update"
    _still_there(theirs, _whole(resource))
    settled(resource, changed, resource.inputs)


def _whole(resource: Life) -> dict[str, Any]:
    return resource.provider.collection(_runtime()).get(resource.id)


def _runtime() -> Any:
    from pulumi_aep.engine import runtime

    return runtime.current()


OURS = {"name", "title", "description", "mappings"}
STAMPS = {
    "etag",
    "version",
    "versions",
    "updatedAt",
    "updated",
    "modifiedDate",
    "lastOperation",
    "meta:registryMetadata",
}


def _still_there(before: dict[str, Any], after: dict[str, Any]) -> None:
    for key in set(before) - OURS - STAMPS:
        assert after[key] == before[key], key
    lines = {line["destination"]: line for line in after.get("mappings") or []}
    for line in before.get("mappings") or []:
        same = ("name", "description", "identity", "identityGroup", "source")
        assert {key: line.get(key) for key in same} == {key: lines[line["destination"]].get(key) for key in same}
