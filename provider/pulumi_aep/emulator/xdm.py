"""XDM itself: the fields of classes and field groups, merged, walked and compared."""

from collections.abc import Iterator

from . import catalogue
from .gateway import TENANT
from .rules import Json, Rule, Service, note
from .store import Space

_DOCS = "docs xdm/schema/composition.md; xdm/api/field-groups.md"
_R = Service.REGISTRY
NAMESPACE = f"_{TENANT}"
CLASSES: dict[str, Json] = {c["$id"]: c for c in catalogue.load("xdm.json")["classes"]}
TYPES = ("string", "integer", "number", "boolean", "object", "array")

CONFLICT = Rule(_R, "XDM-1413-400", 400, "Merge conflict between parts of allOf", "docs xdm/troubleshooting-guide.md")
FOREIGN_FIELD = Rule(
    _R,
    "XDM-1020-400",
    400,
    "Custom fields must stand under the tenant namespace",
    f"assumed which of 1020-1024; rule: {_DOCS}",
)
FIELD_NAME = Rule(_R, "XDM-1021-400", 400, "A field name is invalid", f"assumed which of 1020-1024; rule: {_DOCS}")
FIELD_TYPE = Rule(_R, "", 400, "A field is invalid", "assumed code; rule: JSON Schema")
DANGLING = Rule(_R, "", 400, "A $ref does not exist", "assumed code")
note(_R, "The two global classes hold a selection of their fields; other global resources do not exist here.")
note(_R, "Data types are not modelled: a field's $ref is refused.")


def group_fields(group: Json) -> Json:
    """The top-level properties of a field group: its own, and those of the local definitions that allOf names."""
    fields = dict(group.get("properties") or {})
    for part in group.get("allOf") or []:
        if ref := part.get("$ref"):
            name = ref.removeprefix("#/definitions/")
            definition = (group.get("definitions") or {}).get(name)
            if not ref.startswith("#/definitions/") or not isinstance(definition, dict):
                raise DANGLING(f"allOf $ref {ref[:120]!r}")
            part = definition
        if not isinstance(part.get("properties", {}), dict):
            raise FIELD_TYPE("properties must be an object")
        fields = merge(fields, part.get("properties", {}), "")
    return fields


def check_group(group: Json) -> None:
    fields = group_fields(group)
    if foreign := set(fields) - {NAMESPACE}:
        raise FOREIGN_FIELD(f"{', '.join(sorted(foreign))[:120]}: put custom fields under {NAMESPACE}")
    _check_fields(fields.get(NAMESPACE, {"type": "object"}), NAMESPACE)


def _check_fields(schema: Json, path: str) -> None:
    if not isinstance(schema, dict):
        raise FIELD_TYPE(f"{path}: must be an object")
    if "$ref" in schema:
        raise DANGLING(f"{path}: $ref {str(schema['$ref'])[:120]!r}")
    if schema.get("type") not in TYPES:
        raise FIELD_TYPE(f"{path}: type must be one of {', '.join(TYPES)}")
    if schema["type"] == "array":
        _check_fields(schema.get("items", {}), f"{path}[]")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise FIELD_TYPE(f"{path}: properties must be an object")
    for name, child in properties.items():
        if not name or name.startswith("_") or "." in name or "/" in name:
            raise FIELD_NAME(f"{path}: {name[:80]!r}")
        _check_fields(child, f"{path}.{name}")


def merge(left: Json, right: Json, path: str) -> Json:
    merged = dict(left)
    for name, schema in right.items():
        known = merged.get(name)
        if known is None:
            merged[name] = schema
        elif not isinstance(known, dict) or not isinstance(schema, dict) or known.get("type") != schema.get("type"):
            raise CONFLICT(f"{path}{name} is defined twice with different types")
        else:
            children = merge(known.get("properties", {}), schema.get("properties", {}), f"{path}{name}.")
            merged[name] = known | schema | ({"properties": children} if children else {})
    return merged


def resolve(space: Space, schema: Json) -> Json:
    """All fields of a schema: `{"properties": …, "required": […]}`."""
    fields: Json = {}
    required: list[str] = []
    for part in schema["allOf"]:
        if part["$ref"] in CLASSES:
            known = CLASSES[part["$ref"]]
            fields, required = merge(fields, known["properties"], ""), required + known["required"]
        else:
            group = space.get("fieldgroups", part["$ref"])
            if group is None:
                raise DANGLING(f"$ref {part['$ref'][:120]!r}")
            fields = merge(fields, group_fields(group), "")
    return {"properties": fields, "required": required}


def flatten(properties: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, type) of every field."""
    for name, schema in properties.items():
        yield prefix + name, schema.get("type", "")
        if schema.get("type") == "array":
            yield from flatten({"[]": schema.get("items", {})}, f"{prefix}{name}.")
        yield from flatten(schema.get("properties", {}), f"{prefix}{name}.")


def breaking(before: Json, after: Json) -> list[str]:
    """Fields that vanish or change their type: what a schema in use must not do. Additions are free."""
    kept = dict(flatten(after))
    return [path for path, kind in flatten(before) if kept.get(path) != kind]


def reaches(properties: Json, path: list[str]) -> bool:
    """Does a dotted destination lead to a field? Objects without declared fields (maps) take any key."""
    if not path:
        return True
    name, _, index = path[0].partition("[")
    schema = properties.get(name)
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "array":
        schema = schema.get("items", {})
    elif index:
        return False
    if "properties" not in schema:
        return len(path) == 1 or schema.get("type") == "object"
    return reaches(schema["properties"], path[1:])


def without_texts(schema: Json) -> Json:
    """The `notext` form: no titles, no descriptions (a field may well be named title)."""
    kept = {k: v for k, v in schema.items() if k not in ("title", "description")}
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: without_texts(child) for name, child in kept["properties"].items()}
    if isinstance(kept.get("items"), dict):
        kept["items"] = without_texts(kept["items"])
    if isinstance(kept.get("definitions"), dict):
        kept["definitions"] = {name: without_texts(child) for name, child in kept["definitions"].items()}
    return kept
