"""FieldGroup: fields of a schema (Schema Registry, `/tenant/fieldgroups`)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import DESCRIBED, Bad, Description, Ids, Others, Props, Round, Seen, text_rounds, texts
from pulumi_aep import XdmClass
from support.emulator import EXPERIENCE_EVENT
from support.outside import FIELDS, GONE, registry
from support.strategies import IDENTIFIERS, TEXT, WORDS, arguments_of

patch = registry("fieldgroups")
OTHER_DEFINITION = {"properties": {"_acme": {"type": "object", "properties": {"a": {"type": "string"}}}}}
PLAIN = {"distinct_id": {"type": "string"}, "time": {"type": "integer"}, "item": {"type": "string"}}
FULL = {
    **PLAIN,
    "item": {"type": "string", "title": "Item", "enum": ["a", "b"]},
    "shop": {"type": "object", "properties": {"open": {"type": "boolean"}, "city": {"type": "string"}}},
}


def fields() -> SearchStrategy[Props]:
    texts = {"title": TEXT, "description": TEXT}

    def field(kind: str, **more: SearchStrategy[object]) -> SearchStrategy[Props]:
        return st.fixed_dictionaries({"type": st.just(kind), **more}, optional=texts)

    plain = st.one_of(
        field("string"),
        field("string", enum=st.lists(WORDS, min_size=1, max_size=3, unique=True)),
        field("integer", minimum=st.integers(-100, 100)),
        field("number"),
        field("boolean"),
    )

    def deeper(inner: SearchStrategy[Props]) -> SearchStrategy[Props]:
        return field("array", items=inner) | field("object", properties=st.dictionaries(IDENTIFIERS, inner, max_size=3))

    return st.dictionaries(IDENTIFIERS, st.recursive(plain, deeper, max_leaves=5), min_size=1, max_size=4)


def strategies(ids: Ids) -> SearchStrategy[Props]:
    classes = st.lists(st.sampled_from([XdmClass.EXPERIENCE_EVENT, XdmClass.PROFILE]), min_size=1, unique=True)
    return arguments_of("FieldGroup", fields=fields(), class_ids=classes)


def field(kind: object, message: str, remedy: str = "", **more: object) -> Bad:
    return Bad("fields", {"item": {"type": kind, **more}}, message, remedy)


DESCRIPTION = Description(
    kind="FieldGroup",
    key="group",
    an_id="https://ns.adobe.com/acme/mixins/1b47061264138c4a",
    collection="fieldgroups",
    natural_key="title",
    arguments={"title": "web fields", "fields": PLAIN, "class_ids": [XdmClass.EXPERIENCE_EVENT]},
    more={
        "description": DESCRIBED,
        "fields": FULL,
        "class_ids": [XdmClass.EXPERIENCE_EVENT, XdmClass.PROFILE],
    },
    further={"more": {"title": "more", "fields": {"price": {"type": "number"}}}},
    bad=(
        Bad("fields", {}, "fields: must have at least one item"),
        Bad("fields", {"_id": {"type": "string"}}, "_id: field names start with a letter"),
        Bad(
            "fields",
            {"item.id": {"type": "string"}},
            "fields: item.id: field names start with a letter and contain no spaces or dots",
        ),
        Bad("fields", {"id": "string"}, "id: must be an object with a type"),
        Bad("fields", {"b": 3, "c d": {"type": "number"}}, "'Distinct id'}; c d: field names start"),
        Bad("fields", {"item": {"title": "Item"}}, "fields: item: must be an object with a type"),
        field("strnig", "fields: item.type: must be string, ", "(did you mean string?); got 'strnig'"),
        field(5.0, "fields: item.type: must be string, integer, number, boolean, object or array"),
        field(["string", "null"], "fields: item.type: must be string"),
        field("array", "fields: item.items: is required for an array"),
        field("array", "fields: item.items: must be an object with a type", items=["string"]),
        field("array", "fields: item.items.type: must be string", items={"type": "text"}),
        field(
            "array",
            "fields: item.items.properties.a b: field names start with a letter",
            items={"type": "object", "properties": {"a b": {"type": "string"}}},
        ),
        field("object", "fields: item.properties: must be an object", properties=["a"]),
        Bad("class_ids", ["experienceevent"], "class_ids[0]: must be a class $id"),
    ),
    in_place=(
        *text_rounds("PATCH fieldgroups", "title", "renamed fields"),
        Round({"fields": {**FULL, "color": {"type": "string"}}}, ("PATCH fieldgroups",)),
    ),
    replaced=(
        ("class_ids", ["https://ns.adobe.com/xdm/context/other"]),
        ("fields", {"item": {"type": "integer"}}),
        ("fields", {**FULL, "time": {"type": "string"}}),
    ),
    reads_before_update=frozenset({"GET stats"}),
    outside={
        **texts(patch, "title"),
        "fields": [
            Seen(patch(("replace", f"{FIELDS}/item/title", "by hand"))),
            Seen(patch(("replace", f"{FIELDS}/item/enum", ["a", "b", "c"]))),
            Seen(patch(("remove", f"{FIELDS}/item/title", GONE))),
            Seen(patch(("remove", f"{FIELDS}/item", GONE))),
            Seen(patch(("remove", f"{FIELDS}/shop/properties/open", GONE))),
            Seen(patch(("replace", f"{FIELDS}/item", {"type": "integer"})), "replace"),
            Seen(patch(("replace", f"{FIELDS}/shop/properties/open/type", "string")), "replace"),
        ],
        "class_ids": [Seen(patch(("replace", "/meta:intendedToExtend", [EXPERIENCE_EVENT])), "replace")],
    },
    unmanaged=(
        patch(("add", f"{FIELDS}/theirs", {"type": "string"})),
        patch(("add", f"{FIELDS}/shop/properties/theirs", {"type": "string"})),
        patch(("add", f"{FIELDS}/item/meta:xdmType", "string")),
        patch(("replace", "/meta:intendedToExtend", [XdmClass.PROFILE, EXPERIENCE_EVENT])),
    ),
    same_as_first_round=patch(("replace", "/title", "renamed fields")),
    others=Others(
        lambda number: patch(("add", f"{FIELDS}/theirs{number}", {"type": "string"})),
        lambda item, number: (
            {f"theirs{each}" for each in range(number + 1)}
            <= set(item["definitions"]["customFields"]["properties"]["_emulator"]["properties"])
        ),
    ),
    not_representable=(
        ({"definitions": {"a": OTHER_DEFINITION, "b": OTHER_DEFINITION}}, "its fields are in several parts"),
        (
            {"allOf": [{"$ref": "#/definitions/customFields"}, {"$ref": "https://ns.adobe.com/xdm/mixins/a"}]},
            "its fields are in several parts",
        ),
        (
            {"definitions": {"a": {"properties": {"xdm:color": {"type": "string"}}}}},
            "it has fields outside the organization's own namespace",
        ),
    ),
    strategies=strategies,
)
