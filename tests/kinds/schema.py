"""Schema: a class and field groups (Schema Registry, `/tenant/schemas`)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import DESCRIBED, Bad, Description, Ids, Props, Round, Seen, text_rounds, texts
from pulumi_aep import XdmClass
from support.outside import GONE, registry
from support.strategies import arguments_of

patch = registry("schemas")
NO_GROUP = "https://ns.adobe.com/emulator/mixins/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4"
PROFILE = "https://ns.adobe.com/xdm/context/profile"


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return arguments_of(
        "Schema",
        class_id=st.just(XdmClass.EXPERIENCE_EVENT),
        field_group_ids=st.lists(st.sampled_from([ids["group.id"], ids["more.id"]]), unique=True),
    )


DESCRIPTION = Description(
    kind="Schema",
    key="schema",
    an_id="https://ns.adobe.com/acme/schemas/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4",
    collection="schemas",
    natural_key="title",
    arguments={"title": "web", "class_id": XdmClass.EXPERIENCE_EVENT, "field_group_ids": ["${group.id}"]},
    more={"description": DESCRIBED},
    bad=(
        Bad("title", "  ", "title: must not be empty"),
        Bad("field_group_ids", ["mixins/1"], "field_group_ids[0]: must be a field group's $id"),
    ),
    bad_online=(
        Bad("field_group_ids", ["${group.id}", NO_GROUP], f"field_group_ids[1]: no field group {NO_GROUP} in this"),
    ),
    in_place=(
        *text_rounds("PATCH schemas", "title"),
        Round({"field_group_ids": ["${group.id}", "${more.id}"]}, ("PATCH schemas",)),
    ),
    replaced=(("class_id", XdmClass.PROFILE), ("field_group_ids", ["${more.id}"])),
    kept_on_adoption=frozenset({"field_group_ids"}),
    reads_before_update=frozenset({"GET stats"}),
    outside={
        **texts(patch, "title"),
        "class_id": [Seen(patch(("replace", "/allOf", [{"$ref": PROFILE}])), "replace")],
        "field_group_ids": [Seen(patch(("remove", "/allOf/1", GONE)))],
    },
    unmanaged=(patch(("add", "/meta:immutableTags", ["union"])),),
    same_as_first_round=patch(("replace", "/title", "renamed")),
    not_representable=(
        ({"properties": {"a": {}}}, "it has fields of its own, beside its field groups"),
        ({"allOf": [{"type": "object"}]}, "it has fields of its own, beside its field groups"),
    ),
    not_exported=(({"meta:immutableTags": ["union"]}, ["meta:immutableTags"]),),
    on_the_wire={"meta:class": "class_id"},
    strategies=strategies,
)
