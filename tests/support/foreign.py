"""An old sandbox, full of objects that people and other clients created over the years, by raw calls."""

from collections.abc import Callable
from typing import Any

from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, REST_TO_AEP, Emulator

S3 = {"id": "ecadc60c-7455-4d87-84dc-2a0e293d997b", "version": "1.0"}
SALESFORCE = {"id": "cfc0fee1-7dc0-40ef-b73e-d8b134c436f5", "version": "1.0"}
HTTP_API = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
CLOUD_STORAGE_TO_AEP = {"id": "9753525b-82c7-4dce-8a9b-5ccfce2b9876", "version": "1.0"}
CRM_TO_AEP = {"id": "14518937-270c-4525-bdec-c2ba7cce3860", "version": "1.0"}
STREAM_WITH_TRANSFORMATION = {"id": "c1a19761-d2c7-4702-b9fa-fe91f0613e81", "version": "1.0"}

ODD = 'Büro "Süd" + it\'s №1 / 東京'
"""A name with quotes of both kinds, letters of several scripts, and signs."""

Post = Callable[[str, dict[str, Any]], Any]


def poster(emulator: Emulator, sandbox: str) -> Post:
    def post(path: str, body: dict[str, Any]) -> Any:
        response = emulator.request("POST", path, body, sandbox)
        assert response.ok, response.text
        return response.json()

    return post


def make_old_sandbox(emulator: Emulator, sandbox: str = "local") -> dict[str, str]:
    """Five flows over four sources, sharing a base connection, a dataset and a field group; name of a flow → id."""
    post = poster(emulator, sandbox)
    first = mixpanel.make_chain(emulator, sandbox)
    flows = {"Mixpanel dataflow": first.flow}

    # The same base connection and dataset once more, under the same names, with a time zone of another kind; disabled.
    params = {"projectId": "2671127", "timezone": "America/Los_Angeles"}
    other = mixpanel.source(first.base) | {"description": "two\nlines\n", "params": params}
    source = post(f"{FLOW}/sourceConnections", other)["id"]
    target = post(f"{FLOW}/targetConnections", mixpanel.target(first.dataset))["id"]
    schedule = {"startTime": "1625040887", "frequency": "hour", "interval": "2", "backfill": "false"}
    second = mixpanel.flow(source, target, first.mapping, ODD) | {"scheduleParams": schedule, "description": ""}
    options = {"errorDiagnosticsEnabled": True, "partialIngestionPercent": 10}
    flows[ODD] = post(f"{FLOW}/flows", second | {"options": options})["id"]
    emulator.request("POST", f"{FLOW}/flows/{flows[ODD]}/action?op=disable", sandbox=sandbox).raise_for_status()

    # Files: a schema of two field groups, one of them in several parts; a dataset with tags; an old mapping version.
    parts = mixpanel.field_group("Orders, in parts", {"order": "string"})
    more = {"properties": {"_emulator": {"type": "object", "properties": {"amount": {"type": "number"}}}}}
    parts["definitions"]["more"] = more
    parts["allOf"].append({"$ref": "#/definitions/more"})
    parts_id = post(f"{REGISTRY}/tenant/fieldgroups", parts)["$id"]
    schema = post(f"{REGISTRY}/tenant/schemas", mixpanel.schema(first.group, parts_id, title="class"))["$id"]
    tags = {"team": ["shop", "büro"], "adobe/siphon/table/format": ["delta"]}
    dataset = post(f"{CATALOG}/dataSets", mixpanel.dataset(schema, "class") | {"tags": tags})[0].rsplit("/", 1)[1]
    keys = {"s3AccessKey": "AKIA-SHOP", "s3SecretKey": "pa55-of-mixpanel", "bucketName": "orders"}
    base = {"name": "Orders", "connectionSpec": S3, "auth": {"specName": "Access Key", "params": keys}}
    source = post(
        f"{FLOW}/sourceConnections",
        {
            "name": "Orders",
            "baseConnectionId": post(f"{FLOW}/connections", base)["id"],
            "connectionSpec": S3,
            "data": {"format": "delimited", "schema": {"legacy": True}, "properties": {"columnDelimiter": "\t"}},
            "params": {"path": "/orders/*.tsv", "type": "folder", "recursive": True},
        },
    )["id"]
    target = post(f"{FLOW}/targetConnections", mixpanel.target(dataset, schema, "Orders"))["id"]
    lines = [{"sourceType": "ATTRIBUTE", "source": "${Order No.}", "destination": "_emulator.order"}]
    mapping = post(f"{DATA_PREP}/mappingSets", {"xdmSchema": schema, "xdmVersion": "1.0", "mappings": lines})["id"]
    once = {"startTime": 1625040887, "frequency": "once"}
    orders = mixpanel.flow(source, target, mapping, "Orders")
    flows["Orders"] = post(f"{FLOW}/flows", orders | {"flowSpec": CLOUD_STORAGE_TO_AEP, "scheduleParams": once})["id"]
    later = {"xdmSchema": schema, "xdmVersion": "1.0", "mappings": [*lines, LATER]}
    emulator.request("PUT", f"{DATA_PREP}/mappingSets/{mapping}", later, sandbox).raise_for_status()

    # A database with its delta column, into the dataset of the first.
    secrets = {"username": "crm", "password": "pa55-of-mixpanel", "securityToken": "pa55-of-mixpanel"}
    base = {
        "name": "CRM",
        "connectionSpec": SALESFORCE,
        "auth": {"specName": "Basic Authentication", "params": secrets},
    }
    source = post(
        f"{FLOW}/sourceConnections",
        {
            "name": "CRM",
            "baseConnectionId": post(f"{FLOW}/connections", base)["id"],
            "connectionSpec": SALESFORCE,
            "data": {"format": "tabular"},
            "params": {"tableName": "Accounts"},
        },
    )["id"]
    target = post(f"{FLOW}/targetConnections", mixpanel.target(first.dataset, first.schema, "CRM"))["id"]
    crm = mixpanel.flow(source, target, first.mapping, "CRM") | {"flowSpec": CRM_TO_AEP}
    crm["transformations"].insert(0, {"name": "Copy", "params": {"deltaColumn": {"name": "updatedAt"}}})
    flows["CRM"] = post(f"{FLOW}/flows", crm)["id"]

    # A stream, without secrets and without a schedule.
    streaming = {"specName": "Streaming Connection", "params": {"dataType": "xdm", "name": "clicks"}}
    base = {"name": "2024 clicks", "connectionSpec": HTTP_API, "auth": streaming}
    source = post(
        f"{FLOW}/sourceConnections",
        {
            "name": "2024 clicks",
            "baseConnectionId": post(f"{FLOW}/connections", base)["id"],
            "connectionSpec": HTTP_API,
            "data": {"format": "json"},
        },
    )["id"]
    target = post(f"{FLOW}/targetConnections", mixpanel.target(first.dataset, first.schema, "2024 clicks"))["id"]
    clicks = mixpanel.flow(source, target, first.mapping, "2024 clicks") | {"flowSpec": STREAM_WITH_TRANSFORMATION}
    del clicks["scheduleParams"]
    flows["2024 clicks"] = post(f"{FLOW}/flows", clicks)["id"]
    return flows


def make_six_flows(emulator: Emulator, sandbox: str = "local") -> None:
    """Three flows from one Mixpanel connection, two from files, one from a CRM, which shares a dataset."""
    post = poster(emulator, sandbox)
    keys = {"s3AccessKey": "AKIA-SHOP", "s3SecretKey": "pa55-of-mixpanel"}
    files = {"connectionSpec": S3, "auth": {"specName": "Access Key", "params": keys}}
    login = {"username": "crm", "password": "pa55-of-mixpanel", "securityToken": "pa55-of-mixpanel"}
    crm = {"connectionSpec": SALESFORCE, "auth": {"specName": "Basic Authentication", "params": login}}
    shared = post(f"{FLOW}/connections", mixpanel.base("Mixpanel, all projects"))["id"]
    table = {"data": {"format": "tabular"}, "params": {"tableName": "Accounts"}}
    for name, spec, base, data in (
        ("App events", REST_TO_AEP, shared, {}),
        ("Web events", REST_TO_AEP, shared, {}),
        ("Till events", REST_TO_AEP, shared, {}),
        ("Orders", CLOUD_STORAGE_TO_AEP, files, {"data": {"format": "delimited"}, "params": {"path": "/orders"}}),
        ("Returns", CLOUD_STORAGE_TO_AEP, files, {"data": {"format": "delimited"}, "params": {"path": "/returns"}}),
        ("Accounts", CRM_TO_AEP, crm, table),
    ):
        if spec != CRM_TO_AEP:
            group = post(f"{REGISTRY}/tenant/fieldgroups", mixpanel.field_group(f"{name} fields"))["$id"]
            schema = post(f"{REGISTRY}/tenant/schemas", mixpanel.schema(group, title=f"{name} schema"))["$id"]
            dataset = post(f"{CATALOG}/dataSets", mixpanel.dataset(schema, name))[0].rsplit("/", 1)[1]
        made = base if isinstance(base, str) else post(f"{FLOW}/connections", {"name": name, **base})["id"]
        of = {"connectionSpec": base["connectionSpec"], "description": ""} if isinstance(base, dict) else {}
        source = post(f"{FLOW}/sourceConnections", mixpanel.source(made, name) | of | data)["id"]
        target = post(f"{FLOW}/targetConnections", mixpanel.target(dataset, schema, f"{name}, to the lake"))["id"]
        mapping = post(f"{DATA_PREP}/mappingSets", mixpanel.mapping_set(schema))["id"]
        flow = mixpanel.flow(source, target, mapping, name) | {"flowSpec": spec}
        if spec == CRM_TO_AEP:
            flow["transformations"].insert(0, {"name": "Copy", "params": {"deltaColumn": {"name": "updatedAt"}}})
        post(f"{FLOW}/flows", flow)


LATER = {"sourceType": "EXPRESSION", "source": "to_decimal(amount)", "destination": "_emulator.amount"}
"""The second version of the mapping of orders has it; the flow uses the first."""


def make_many(emulator: Emulator, count: int, sandbox: str = "local") -> None:
    """So many flows, ten to each base connection, schema, dataset and mapping set."""
    post = poster(emulator, sandbox)
    for number in range(count):
        if number % 10 == 0:
            group = post(f"{REGISTRY}/tenant/fieldgroups", mixpanel.field_group(f"Fields {number}"))["$id"]
            schema = post(f"{REGISTRY}/tenant/schemas", mixpanel.schema(group, title=f"Schema {number}"))["$id"]
            dataset = post(f"{CATALOG}/dataSets", mixpanel.dataset(schema, f"Dataset {number}"))[0].rsplit("/", 1)[1]
            mapping = post(f"{DATA_PREP}/mappingSets", mixpanel.mapping_set(schema))["id"]
            base = post(f"{FLOW}/connections", mixpanel.base(f"Base {number}"))["id"]
        source = post(f"{FLOW}/sourceConnections", mixpanel.source(base, f"Source {number}"))["id"]
        target = post(f"{FLOW}/targetConnections", mixpanel.target(dataset, schema, f"Target {number}"))["id"]
        post(f"{FLOW}/flows", mixpanel.flow(source, target, mapping, f"Flow {number}"))
