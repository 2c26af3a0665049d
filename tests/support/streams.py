"""Streaming dataflows over plain calls: HTTP API inlets for raw data and XDM, and the inlet of a webhook."""

import secrets
from dataclasses import dataclass
from typing import Any

import requests

from pulumi_aep import ConnectionSpec, FlowSpec
from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator

CHATLIO = "073127a3-26e3-496c-9d94-9f48fb93fba8"
HTTP_API = {"id": ConnectionSpec.HTTP_API, "version": "1.0"}


@dataclass(frozen=True)
class Stream:
    """The ids of a streaming dataflow, and the URL that takes its data."""

    url: str
    flow: str
    schema: str
    dataset: str
    base: str = ""

    def event(self, key: str = "e-1", **fields: Any) -> dict[str, Any]:
        """An event as XDM, in its envelope."""
        ref = {"id": self.schema, "contentType": "application/vnd.adobe.xed-full+json;version=1.0"}
        entity = {"_id": key, "timestamp": "2026-01-02T03:04:05Z", **fields}
        header = {"schemaRef": ref, "imsOrgId": "EMULATOR@AdobeOrg", "datasetId": self.dataset, "flowId": self.flow}
        return {"header": header, "body": {"xdmMeta": {"schemaRef": ref}, "xdmEntity": entity}}

    def send(self, value: Any, many: bool = False, **options: Any) -> requests.Response:
        url = self.url.replace("/collection/", "/collection/batch/") if many else self.url
        body = {"messages": value} if many else value
        return requests.post(url, json=body, timeout=30, **options)


def post(emulator: Emulator, path: str, body: dict[str, Any]) -> Any:
    answer = emulator.request("POST", path, body)
    assert answer.ok, answer.text
    return answer.json()


def item(emulator: Emulator, path: str) -> dict[str, Any]:
    found: dict[str, Any] = emulator.request("GET", f"{FLOW}/{path}").json()["items"][0]
    return found


def inlet(emulator: Emulator, kind: str = "raw", **auth: Any) -> Stream:
    """`raw` and `xdm` over the HTTP API, `webhook` without a base connection."""
    mark = secrets.token_hex(4)  # titles of the registry are unique
    group = post(emulator, f"{REGISTRY}/tenant/fieldgroups", mixpanel.field_group(title=f"group {mark}"))
    schema = post(emulator, f"{REGISTRY}/tenant/schemas", mixpanel.schema(group["$id"], title=f"schema {mark}"))["$id"]
    dataset = post(emulator, f"{CATALOG}/dataSets", mixpanel.dataset(schema, kind))[0].rsplit("/", 1)[1]
    source: dict[str, Any] = {"name": kind, "connectionSpec": HTTP_API}
    base, flow_spec = "", FlowSpec.STREAMING_WITH_TRANSFORMATION
    if kind == "webhook":
        source |= {"connectionSpec": {"id": CHATLIO, "version": "1.0"}, "data": {"format": "json"}}
        flow_spec = FlowSpec.GENERIC_STREAMING
    else:
        params = {"specName": "Streaming Connection", "params": {"dataType": kind, **auth}}
        base = post(emulator, f"{FLOW}/connections", {"name": "clicks", "connectionSpec": HTTP_API, "auth": params})[
            "id"
        ]
        source |= {"baseConnectionId": base}
    ends = {
        "sourceConnectionIds": [post(emulator, f"{FLOW}/sourceConnections", source)["id"]],
        "targetConnectionIds": [post(emulator, f"{FLOW}/targetConnections", mixpanel.target(dataset, schema))["id"]],
    }
    body: dict[str, Any] = {"name": kind, "flowSpec": {"id": flow_spec, "version": "1.0"}, **ends}
    if kind == "xdm":
        body["flowSpec"] = {"id": FlowSpec.STREAMING_WITHOUT_TRANSFORMATION, "version": "1.0"}
    else:
        mappings = [
            {"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id"},
            {"sourceType": "ATTRIBUTE", "source": "time", "destination": "timestamp"},
            {"sourceType": "ATTRIBUTE", "source": "user", "destination": "_emulator.distinct_id"},
        ]
        mapping = {"xdmSchema": schema, "xdmVersion": "1.0", "mappings": mappings}
        key = post(emulator, f"{DATA_PREP}/mappingSets", mapping)["id"]
        body["transformations"] = [{"name": "Mapping", "params": {"mappingId": key, "mappingVersion": "0"}}]
    flow = post(emulator, f"{FLOW}/flows", body)["id"]
    shown = item(emulator, f"flows/{flow}")["options"] if kind == "webhook" else item(emulator, f"connections/{base}")
    url = shown["inletUrl"] if kind == "webhook" else shown["auth"]["params"]["inletUrl"]
    return Stream(url, flow, schema, dataset, base)
