"""TargetConnection: the dataset that a flow writes to (Flow Service, `/targetConnections`)."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.base_connection import SPEC_FIXED
from kinds.description import DESCRIBED, Bad, Description, Ids, Props, Seen, text_rounds, texts
from kinds.source_connection import NOT_PATCHED
from pulumi_aep import ConnectionSpec
from support.outside import flow_service, retarget
from support.strategies import arguments_of, spec

patch = flow_service("targetConnections")
OTHER_SCHEMA = "https://ns.adobe.com/emulator/schemas/995dabbea86d58e346ff91bd8aa741a9f36f29b1019138d4"


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return arguments_of(
        "TargetConnection",
        connection_spec=spec(ConnectionSpec.DATA_LAKE),
        dataset_id=st.just(ids["dataset.id"]),
        schema_id=st.none() | st.just(ids["schema.id"]),
    )


DESCRIPTION = Description(
    kind="TargetConnection",
    key="target",
    an_id="246d052c-da4a-494a-937f-a0d17b1c6cf5",
    collection="targetConnections",
    natural_key="name",
    arguments={
        "name": "web",
        "connection_spec": ConnectionSpec.DATA_LAKE,
        "dataset_id": "${dataset.id}",
        "schema_id": "${schema.id}",
        "data": {"format": "parquet_xdm"},
    },
    more={"description": DESCRIBED, "connection_spec": {"id": ConnectionSpec.DATA_LAKE, "version": "1.0"}},
    bad=(
        Bad(
            "connection_spec",
            ConnectionSpec.MIXPANEL,
            "connection_spec: must be the data lake's (c604ff05-7f1a-43c0-8e18-33bf874cb11c)",
            "leave it out",
        ),
        Bad("dataset_id", "not-a-dataset", "dataset_id: must be a dataset id of 24 hexadecimal digits"),
        Bad("dataset_id", "not-hex-not-hex-not-hex-", "dataset_id: must be a dataset id of 24 hexadecimal digits"),
        Bad("schema_id", "995dabbea86d58e3", "schema_id: must be a schema's $id"),
        Bad("data", {"format": "avro"}, "data.format: must be 'parquet_xdm', 'json' or 'delimited'"),
    ),
    bad_online=(
        Bad(
            "dataset_id", "5ef4551c52e054191a61a99f", "dataset_id: no dataset 5ef4551c52e054191a61a99f in this sandbox"
        ),
        Bad("schema_id", OTHER_SCHEMA, "schema_id: the schema of the dataset is https://", f"got {OTHER_SCHEMA}"),
    ),
    in_place=text_rounds("PATCH targetConnections"),
    replaced=(
        ("connection_spec", {"id": ConnectionSpec.DATA_LAKE, "version": "2.0"}),
        ("dataset_id", "5ef4551c52e054191a61a99f"),
        ("schema_id", OTHER_SCHEMA),
        ("data", {"format": "json"}),
    ),
    outside={
        **texts(patch),
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "dataset_id": [Seen(retarget, "replace")],
        "schema_id": NOT_PATCHED,
        "data.format": NOT_PATCHED,
    },
    same_as_first_round=patch(("replace", "/name", "renamed")),
    strategies=strategies,
)
