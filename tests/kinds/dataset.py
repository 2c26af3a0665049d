"""Dataset: where data lands (Catalog, `/dataSets`)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import (
    DESCRIBED,
    MISSING,
    Bad,
    Closed,
    Description,
    Ids,
    Others,
    Props,
    Round,
    Seen,
    text_rounds,
    texts,
)
from kinds.target_connection import OTHER_SCHEMA
from support.outside import GONE, catalog
from support.strategies import TEXT, WORDS, arguments_of

TAGS = {"team": ["shop", "web"], "a/b": ["x"]}


def strategies(ids: Ids) -> SearchStrategy[Props]:
    tags = st.dictionaries(WORDS, st.lists(TEXT, max_size=3), max_size=3)
    return arguments_of("Dataset", schema_id=st.just(ids["schema.id"]), tags=st.none() | tags)


DESCRIPTION = Description(
    kind="Dataset",
    key="dataset",
    an_id="6ef4551c52e054191a61a99f",
    collection="dataSets",
    natural_key="name",
    arguments={"name": "web", "schema_id": "${schema.id}"},
    more={"description": DESCRIBED, "tags": TAGS},
    options={"force_destroy": True},
    bad=(
        Bad("schema_id", MISSING, "schema_id: is required"),
        Bad("tags", {"unifiedProfile": "enabled:true"}, "tags.unifiedProfile: must be a list"),
    ),
    bad_online=(Bad("schema_id", OTHER_SCHEMA, f"schema_id: no schema {OTHER_SCHEMA} in this sandbox"),),
    in_place=(
        *text_rounds("PATCH dataSets"),
        Round({"tags": {**TAGS, "team": ["others"]}}, ("PATCH dataSets",)),
    ),
    replaced=(("schema_id", OTHER_SCHEMA),),
    reads_before_update=frozenset({"GET dataSets"}),
    outside={
        **texts(catalog),
        "schema_id": Closed("Catalog lets nobody change the schema of a dataset"),
        "tags": [
            Seen(catalog(("replace", "/tags/team", ["others"]))),
            Seen(catalog(("remove", "/tags/a~1b", GONE))),
            Seen(catalog(("remove", "/tags", GONE))),
        ],
    },
    unmanaged=(
        catalog(("add", "/tags/adobe~1pqs~1table", ["web"]), ("add", "/enableErrorDiagnostics", True)),
        catalog(("replace", "/tags/team", ["web", "shop"])),
    ),
    same_as_first_round=catalog(("replace", "/name", "renamed")),
    others=Others(
        lambda number: catalog(("add", f"/tags/theirs{number}", [str(number)])),
        lambda item, number: all(item["tags"][f"theirs{each}"] == [str(each)] for each in range(number + 1)),
    ),
    not_exported=(({"enableErrorDiagnostics": True}, ["enableErrorDiagnostics"]),),
    strategies=strategies,
)
