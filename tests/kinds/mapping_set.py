"""MappingSet: from a source's fields to a schema's (Data Prep, `/mappingSets`)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.description import DESCRIBED, Bad, Description, Ids, Others, Props, Round, Seen
from kinds.target_connection import OTHER_SCHEMA
from support.mixpanel import FIELDS
from support.outside import OTHER_RECORD, mapping, mapping_set, move_mappings
from support.strategies import DESCRIPTIONS, IDENTIFIERS, TEXT, WORDS

SIMPLE = {"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"}
NAMED = {**SIMPLE, "source_type": "ATTRIBUTE", "name": "person", "description": DESCRIBED}
EXPRESSION = {"source": 'concat("a", time)', "destination": "_id", "source_type": "EXPRESSION"}
TIME = {"source": "properties.time", "destination": "_{tenantId}.time"}
TIME_ON_THE_WIRE = {"sourceType": "ATTRIBUTE", "source": "properties.time", "destination": "_emulator.time"}


def append(line: Props) -> Any:
    return mapping_set(lambda body: body["mappings"].append(line))


@st.composite
def strategy(draw: st.DrawFn, ids: Ids) -> Props:
    tenant = st.sampled_from(["_{tenantId}", "_emulator"])
    names = draw(st.lists(st.sampled_from([*FIELDS, "_id", "eventType"]), min_size=1, unique=True))
    lines = []
    for name in names:
        kinds = ["ATTRIBUTE", "EXPRESSION", *(["STATIC"] if FIELDS.get(name, "string") == "string" else [])]
        kind = draw(st.sampled_from(kinds))
        paths = st.lists(IDENTIFIERS, min_size=1, max_size=3).map(".".join)
        sources = {"ATTRIBUTE": paths, "EXPRESSION": paths.map(lambda path: f'concat("x", {path})'), "STATIC": WORDS}
        line = {"source": draw(sources[kind]), "source_type": kind, "name": draw(st.none() | TEXT)}
        line["destination"] = name if name in ("_id", "eventType") else f"{draw(tenant)}.{name}"
        lines.append({**line, "description": draw(DESCRIPTIONS)})
    return {"schema_id": ids["schema.id"], "mappings": lines}


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return strategy(ids)


DESCRIPTION = Description(
    kind="MappingSet",
    key="mapping",
    an_id="bf5286a9c1ad4266baca76ba3adc9366",
    collection="mappingSets",
    made_first=True,
    arguments={"schema_id": "${schema.id}", "mappings": [SIMPLE]},
    more={"mappings": [NAMED, EXPRESSION]},
    bad=(
        Bad("mappings", [], "mappings: must have at least one item"),
        Bad(
            "mappings",
            [{"sourceAttribute": "a", "destinationXdmPath": "b"}],
            "mappings[0].sourceAttribute: is not a known key",
            "known keys are description, destination, name, source, source_type",
        ),
        Bad(
            "mappings",
            [{"source": "a", "destination": "x"}, {"source": "concat(a, b)", "destination": "_id"}],
            "mappings[1]: source: 'concat(a, b)' is not a field path",
            "set source_type='EXPRESSION'",
        ),
        Bad(
            "mappings",
            [{"source": "a", "destination": "_{tenantId}.a b"}],
            "mappings[0].destination: must be the dotted path of a schema field",
        ),
        Bad("mappings", [{"source": "a", "destination": "a..b"}], "mappings[0].destination: must be the dotted path"),
        Bad("mappings", [{"source": "First Name", "destination": "x"}], "wrap names with spaces"),
        Bad(
            "mappings",
            [{"source": "a", "destination": "x"}, {"source": "b", "destination": "x"}],
            "mappings: each destination may appear only once; repeated: x",
        ),
        Bad(
            "mappings",
            [{"source": "a", "destination": "x", "source_type": "text"}],
            "mappings[0].source_type: must be",
        ),
    ),
    bad_online=(
        Bad("schema_id", "", "schema_id: must be a schema's $id"),
        Bad(
            "mappings",
            [{"source": "a", "destination": "_{tenantId}.a"}, {"source": "b", "destination": "_emulator.a"}],
            "mappings: _emulator.a and _{tenantId}.a are the same field",
        ),
    ),
    in_place=(
        Round({"mappings": [NAMED, EXPRESSION, TIME]}, ("PUT mappingSets",), frozenset({"GET schemas"})),
        Round({"mappings": [EXPRESSION, NAMED]}, (), frozenset({"GET schemas"})),  # their order means nothing
        # A mapping set has no description: the line is in its first mapping, so another line takes a new version.
        Round({"owner": OTHER_RECORD}, ("PUT mappingSets",)),
    ),
    replaced=(("schema_id", OTHER_SCHEMA),),
    reads_before_update=frozenset({"GET mappingSets", "GET stats"}),
    outside={
        "owner": [
            Seen(mapping(0, description=DESCRIBED)),
            Seen(mapping(0, description="")),
            Seen(mapping(0, description=f"{DESCRIBED}\n[pulumi: {OTHER_RECORD}]")),
        ],
        "schema_id": [Seen(move_mappings, "replace")],
        "mappings[]": [
            Seen(mapping_set(lambda body: body["mappings"].pop())),
            Seen(append({"sourceType": "STATIC", "source": "x", "destination": "eventType"})),
        ],
        "mappings[].source": [Seen(mapping(0, source="properties.other"))],
        "mappings[].destination": [Seen(mapping(0, destination="_emulator.event_name"))],
        "mappings[].source_type": [Seen(mapping(0, sourceType="EXPRESSION"))],
        "mappings[].name": [Seen(mapping(0, name="by hand")), Seen(mapping(0, name=None))],
        "mappings[].description": [Seen(mapping(0, description="by hand")), Seen(mapping(0, description=None))],
    },
    unmanaged=(
        mapping_set(lambda body: body.update(name="their name", allowNullValues=True)),
        mapping(1, name="theirs", description="theirs", identity=True, identityGroup="email"),
        mapping_set(lambda body: body["mappings"].reverse()),
    ),
    same_as_first_round=append(TIME_ON_THE_WIRE),
    others=Others(
        lambda number: mapping_set(lambda body: body.update(name=f"theirs {number}")),
        lambda item, number: item["name"] == f"theirs {number}",
    ),
    not_exported=(
        (
            {"mappings": [{"source": "a", "destination": "b", "identity": True}], "allowNullValues": True},
            ["mappings.identity", "allowNullValues"],
        ),
    ),
    strategies=strategies,
)
