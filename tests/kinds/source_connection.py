"""SourceConnection: what is read from a source (Flow Service, `/sourceConnections`)."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from kinds.base_connection import SPEC_FIXED, UNKNOWN_SPEC
from kinds.description import DESCRIBED, MISSING, Bad, Closed, Description, Ids, Others, Props, Seen, text_rounds, texts
from pulumi_aep import ConnectionSpec
from pulumi_aep.emulator.flow_service import specs as catalog_of_specs
from support.outside import flow_service
from support.strategies import arguments_of, parameters, spec

patch = flow_service("sourceConnections")
OTHER = "993f908f-3342-4d9c-9f3c-5aa9a189ca1a"
NOT_PATCHED = Closed("no PATCH of the service reaches it")
PARAMS = {"projectId": "2384945", "timezone": "Pacific Standard Time"}


@st.composite
def strategy(draw: st.DrawFn, bases: dict[str, str]) -> Props:
    """On one of these base connections (connection spec → id)."""
    identity = draw(st.sampled_from(sorted(bases)))
    schema = catalog_of_specs.source_schema(catalog_of_specs.CONNECTION_SPECS[identity])
    params: SearchStrategy[Any] = parameters(schema)
    if identity == ConnectionSpec.MIXPANEL:
        zones = st.sampled_from(["UTC", "America/Los_Angeles", "Pacific Standard Time"])
        params = st.fixed_dictionaries({"projectId": st.from_regex("[0-9]{1,8}", fullmatch=True), "timezone": zones})
    formats = catalog_of_specs.FORMATS_OF[catalog_of_specs.kind(identity)]
    made = draw(
        arguments_of(
            "SourceConnection",
            connection_spec=spec(identity),
            base_connection_id=st.just(bases[identity]),
            data=st.fixed_dictionaries({"format": st.sampled_from(formats)}),
            params=params,
        )
    )
    data = made.get("data") or {"format": formats[0]}
    return {**made, "base_connection_id": bases[identity], "params": draw(params), "data": data}


def strategies(ids: Ids) -> SearchStrategy[Props]:
    return strategy({ConnectionSpec.MIXPANEL: ids["base.id"], ConnectionSpec.ZENDESK: ids["zendesk.id"]})


DESCRIPTION = Description(
    kind="SourceConnection",
    key="source",
    an_id="70383d02-2777-4be7-a309-9dd6eea1b46e",
    collection="sourceConnections",
    natural_key="name",
    arguments={
        "name": "web",
        "base_connection_id": "${base.id}",
        "connection_spec": ConnectionSpec.MIXPANEL,
        "data": {"format": "json"},
        "params": PARAMS,
    },
    more={
        "description": DESCRIBED,
        "connection_spec": {"id": ConnectionSpec.MIXPANEL, "version": "1.0"},
        "data": {"format": "json", "properties": {"encoding": "UTF-8"}},
    },
    bad=(
        Bad("name", 12.0, "name: must be text", "put the value in quotes"),
        Bad("connection_spec", {"version": "1.0"}, "connection_spec.id: is required"),
        Bad("base_connection_id", "{BASE_CONNECTION_ID}", "base_connection_id: must be an id like 70383d02"),
        Bad("data", {"format": "xml"}, "data.format: must be 'json', 'delimited', 'parquet' or 'tabular'"),
        Bad(
            "params", {"projectId": "٢٣٨", "timezone": "UTC"}, "params.projectId: must be the project's number as text"
        ),
        Bad(
            "params",
            {"projectId": "web shop", "timezone": "UTC"},
            "params.projectId: must be the project's number as text",
            "like '2384945'",
        ),
        Bad(
            "params",
            {"projectId": "1", "timezone": "Pacific Time"},
            "params.timezone: must be a Windows time zone name",
        ),
        Bad(
            "params",
            {"projectId": "1", "timezone": "America/Los_Angelos"},
            "params.timezone: must be a Windows time zone name",
            "did you mean 'America/Los_Angeles'?",
        ),
    ),
    bad_online=(
        Bad(
            "connection_spec",
            {"id": ConnectionSpec.MIXPANEL, "version": "9"},
            "connection_spec.version: this spec has version 1.0; got '9'",
        ),
        Bad("connection_spec", UNKNOWN_SPEC, f"connection_spec: this organization has no spec '{UNKNOWN_SPEC}'"),
        Bad("connection_spec", ConnectionSpec.DATA_LAKE, "connection_spec: Data lake is no source"),
        Bad("base_connection_id", MISSING, "base_connection_id: is required: Mixpanel needs a base connection"),
        Bad("base_connection_id", OTHER, f"base_connection_id: no base connection {OTHER} in this sandbox"),
        Bad(
            "base_connection_id",
            "${zendesk.id}",
            f"connection_spec: must be that of the base connection, Zendesk ({ConnectionSpec.ZENDESK}); got Mixpanel",
        ),
        Bad("data", MISSING, "data: is required by Mixpanel", "like {'format': 'json'}"),
        Bad("data", {"format": "delimited"}, "data.format: must be 'json' for Mixpanel; got 'delimited'"),
        Bad(
            "data",
            {"format": "json", "properties": {"columnDelimeter": ";", "other": 1}},
            "data.properties.columnDelimeter: is not known (did you mean columnDelimiter?)",
        ),
        Bad("params", {"timezone": "UTC"}, "params.projectId: is required by Mixpanel"),
        Bad("params", {"projectId": "1"}, "params.timezone: is required by Mixpanel"),
        Bad(
            "params",
            {**PARAMS, "projectID": "1"},
            "params.projectID: is not a parameter of Mixpanel (did you mean projectId?)",
            "it takes",
        ),
        Bad("params", {**PARAMS, "filters": 1.0}, "params.filters: must be of type object"),
    ),
    in_place=text_rounds("PATCH sourceConnections"),
    replaced=(
        ("params", {"projectId": "2384946", "timezone": "UTC"}),
        ("base_connection_id", OTHER),
        ("connection_spec", ConnectionSpec.HTTP_API),
        ("data", {"format": "json", "properties": {"encoding": "UTF-16"}}),
    ),
    outside={
        **texts(patch),
        "base_connection_id": NOT_PATCHED,
        "connection_spec.id": SPEC_FIXED,
        "connection_spec.version": SPEC_FIXED,
        "data.format": NOT_PATCHED,
        "data.properties": NOT_PATCHED,
        "params": [Seen(patch(("replace", "/params/projectId", "1")), "replace")],
    },
    unmanaged=(patch(("add", "/params/filters", {"a": 1})),),
    same_as_first_round=patch(("replace", "/name", "renamed")),
    others=Others(
        lambda number: patch(("add", "/params/filters", {"n": number})),
        lambda item, number: item["params"]["filters"] == {"n": number},
    ),
    not_exported=(({"data": {"format": "delimited", "columnDelimiter": ";"}}, ["data.columnDelimiter"]),),
    strategies=strategies,
)
