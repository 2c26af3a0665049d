"""XDM itself: the fields of classes and field groups, merged, walked and compared."""

from collections.abc import Iterator
from typing import Any

from ..core.errors import Json, load
from ..core.gateway import TENANT
from ..core.store import SandboxStore
from . import library, rules

NAMESPACE = f"_{TENANT}"
CLASSES: dict[str, Json] = {known["$id"]: known for known in load(__package__, "xdm.json")["classes"]}
BEHAVIORS: dict[str, Json] = {known["$id"]: known for known in load(__package__, "xdm.json")["behaviors"]}
_MOST_FIELDS = 20_000
TYPES = ("string", "integer", "number", "boolean", "object", "array")


def group_fields(objects: SandboxStore, group: Json) -> Json:
    """The top-level properties of a field group, class or data type, with the data types of its fields filled in.

    They are its own, and those of the local definitions that allOf names; a behavior there is the class's affair.
    """
    within, budget = (group.get("$id", ""),), [_MOST_FIELDS]
    return {name: _filled(objects, field, within, budget) for name, field in _own_fields(group).items()}


def _filled(objects: SandboxStore, field: Any, within: tuple[str, ...], budget: list[int]) -> Any:
    """The field with the data types that its $ref and those below name. `within`: the resources that hold it."""
    if not isinstance(field, dict):
        return field
    budget[0] -= 1
    if budget[0] < 0:
        raise rules.field(f"more than {_MOST_FIELDS} fields")
    if "$ref" in field:
        key = str(field["$ref"])
        known = None if key in within else objects.get("datatypes", key)
        if known is None:
            raise rules.dangling(f"a field: {key[:120]!r}")
        field = {k: v for k, v in field.items() if k != "$ref"} | {"type": "object", "properties": _own_fields(known)}
        within = (*within, key)
    if isinstance(children := field.get("properties"), dict):
        children = {name: _filled(objects, child, within, budget) for name, child in children.items()}
        field = field | {"properties": children}
    return field | ({"items": _filled(objects, field["items"], within, budget)} if "items" in field else {})


def _own_fields(group: Json) -> Json:
    fields = merge({}, group.get("properties", {}))
    for part in group.get("allOf", []):
        if part.get("$ref") in BEHAVIORS:
            continue
        name = str(part.get("$ref", "")).removeprefix("#/definitions/")
        if name and name not in group.get("definitions", {}):
            raise rules.dangling(f"allOf: {name[:120]!r}")
        fields = merge(fields, (group["definitions"][name] if name else part).get("properties", {}))
    return fields


def check_fields(objects: SandboxStore, resource: Json, anywhere: bool) -> None:
    """Of a class, field group or data type. Only a data type has fields outside of the tenant's namespace."""
    fields = group_fields(objects, resource)
    if not anywhere and (foreign := set(fields) - {NAMESPACE}):
        raise rules.foreign(f"{', '.join(sorted(foreign))[:120]}: put custom fields under {NAMESPACE}")
    for field in [{"type": "object", "properties": fields}] if anywhere else fields.values():
        _check_field(field, "properties" if anywhere else NAMESPACE)


def _check_field(schema: Any, path: str) -> None:
    if not isinstance(schema, dict) or not isinstance(schema.get("properties", {}), dict):
        raise rules.field(f"{path}: a field and its properties are objects")
    if schema.get("type") not in TYPES:
        raise rules.field(f"{path}: type must be one of {', '.join(TYPES)}")
    if schema["type"] == "array":
        _check_field(schema.get("items"), f"{path}[]")
    for name, child in schema.get("properties", {}).items():
        if not name or name.startswith("_") or "." in name:
            raise rules.name(f"{path}: {name[:80]!r}")
        _check_field(child, f"{path}.{name}")


def merge(left: Json, right: Any, path: str = "") -> Json:
    if not isinstance(right, dict) or not all(isinstance(schema, dict) for schema in right.values()):
        raise rules.field(f"{path or 'properties'}: expected an object of fields")
    merged = dict(left)
    for name, schema in right.items():
        known: Any = merged.get(name, schema)
        if known.get("type") != schema.get("type"):
            raise rules.field_conflict(f"{path}{name} is defined twice with different types")
        children = merge(known.get("properties", {}), schema.get("properties", {}), f"{path}{name}.")
        merged[name] = known | schema | ({"properties": children} if children else {})
    return merged


def field_group(objects: SandboxStore, key: str) -> Json | None:
    """A field group, Adobe's or the tenant's."""
    return library.FIELD_GROUPS.get(key) or objects.get("fieldgroups", key)


def schema(objects: SandboxStore, key: str) -> Json | None:
    """A schema by `$id` or by `meta:altId`."""
    return objects.get("schemas", key.replace(f"_{TENANT}.schemas.", f"https://ns.adobe.com/{TENANT}/schemas/", 1))


def class_of(objects: SandboxStore, key: str) -> Json | None:
    """A class, Adobe's or the tenant's, with its `properties` and `required`."""
    own = None if key in CLASSES else objects.get("classes", key)
    if own is None:
        return CLASSES.get(key)
    behavior = BEHAVIORS[own["meta:extends"][0]]
    fields = merge(behavior["properties"], group_fields(objects, own))
    return own | {"properties": fields, "required": behavior["required"]}


def resolve(objects: SandboxStore, schema: Json) -> Json:
    """All fields of a schema: `{"properties": …, "required": […]}`."""
    fields: Json = {}
    required: list[str] = []
    for part in schema["allOf"]:
        known, group = class_of(objects, part["$ref"]), field_group(objects, part["$ref"])
        if known:
            fields, required = merge(fields, known["properties"]), required + known["required"]
        elif group:
            fields = merge(fields, group_fields(objects, group))
        else:
            raise rules.dangling(f"allOf: {part['$ref'][:160]!r}")
    return {"properties": fields, "required": required}


def _types(properties: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, type) of every field."""
    for name, schema in properties.items():
        yield prefix + name, schema.get("type", "")
        if schema.get("type") == "array":
            yield from _types({"[]": schema.get("items", {})}, f"{prefix}{name}.")
        yield from _types(schema.get("properties", {}), f"{prefix}{name}.")


def broken(before: Json, after: Json) -> list[str]:
    """Fields that vanish or change their type, which a schema in use must not do. Additions are free."""
    kept = dict(_types(after))
    return [path for path, kind in _types(before) if kept.get(path) != kind]


def mark_deprecated(properties: Json, path: list[str]) -> None:
    """Marks the field at a path of names, if there is one."""
    field = properties.get(path[0])
    if field and len(path) == 1:
        field["meta:status"] = "deprecated"
    elif field:
        mark_deprecated(field.get("properties", {}), path[1:])


def reaches(properties: Json, path: list[str]) -> bool:
    """Does a dotted destination lead to a field? An object without declared fields (a map) takes any key."""
    name, _, index = path[0].partition("[")
    schema = properties.get(name)
    if schema is None or (index and schema["type"] != "array"):
        return False
    if schema["type"] == "array":
        schema = schema["items"]
    if len(path) == 1 or "properties" not in schema:
        return len(path) == 1 or schema["type"] == "object"
    return reaches(schema["properties"], path[1:])


def without_texts(schema: Any) -> Any:
    """The `notext` form: no titles, no descriptions (a field may well be named title)."""
    if not isinstance(schema, dict):  # a definition that nothing uses may hold anything
        return schema
    kept = {name: value for name, value in schema.items() if name not in ("title", "description")}
    for name in {"properties", "definitions"} & set(kept):
        if isinstance(kept[name], dict):
            kept[name] = {field: without_texts(child) for field, child in kept[name].items()}
    return kept | ({"items": without_texts(kept["items"])} if "items" in kept else {})
