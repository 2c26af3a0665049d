"""A careful script, for comparison: one call at a time over one `requests.Session`, each response checked."""

import time
from typing import Any
from urllib.parse import quote

import requests

from pulumi_aep.components.mixpanel_source import FIELDS, MAPPINGS

FLOW = "/data/foundation/flowservice"
REGISTRY = "/data/foundation/schemaregistry/tenant"
CATALOG = "/data/foundation/catalog"
DATA_PREP = "/data/foundation/conversion"
MIXPANEL = {"id": "fd2c8ff3-1de0-4f6b-8fa8-4264784870eb", "version": "1.0"}
DATA_LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
REST_TO_AEP = {"id": "6499120c-0b15-42dc-936e-847ea3c24d72", "version": "1.0"}
EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
XED = "application/vnd.adobe.xed+json; version=1"

PARTS = "fieldgroups schemas dataSets connections sourceConnections targetConnections mappingSets flows"
ORDER = tuple(PARTS.split())


class Script:
    """Creates, reads and deletes dataflows; each method returns its seconds. `calls` counts the requests."""

    def __init__(self, url: str) -> None:
        self.url, self.calls = url, 0
        self.session = requests.Session()
        self.session.trust_env = False
        form = {"client_id": "emulator", "client_secret": "emulator-secret", "grant_type": "client_credentials"}
        token = self.session.post(f"{url}/ims/token/v3", data={**form, "scope": "openid,AdobeID"}, timeout=60).json()
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        self.session.headers.update({"x-api-key": "emulator", "x-gw-ims-org-id": "EMULATOR@AdobeOrg"})
        self.session.headers["x-sandbox-name"] = "local"
        self.tenant = self._call("GET", f"{REGISTRY.removesuffix('/tenant')}/stats")["tenantId"]
        self.made: list[dict[str, str]] = []

    def make(self, count: int) -> float:
        started = time.perf_counter()
        for number in range(count):
            self.made.append(self._chain(f"script {number}"))
        return time.perf_counter() - started

    def read(self) -> float:
        """One GET per object."""
        started = time.perf_counter()
        for chain in self.made:
            for kind, key in chain.items():
                self._call("GET", _path(kind, key), headers={"Accept": XED} if REGISTRY in _path(kind, key) else None)
        return time.perf_counter() - started

    def delete(self) -> float:
        """In reverse order; a dataset only after checking that it holds no data."""
        started = time.perf_counter()
        for chain in self.made:
            for kind in reversed(ORDER):
                if kind == "dataSets" and self._call("GET", f"{CATALOG}/batches?dataSet={chain[kind]}&limit=1"):
                    raise SystemExit("the dataset holds data")
                self._call("DELETE", _path(kind, chain[kind]))
        self.made = []
        return time.perf_counter() - started

    def _chain(self, name: str) -> dict[str, str]:
        text = f"made by a script, {name}"
        properties = {f"_{self.tenant}": {"type": "object", "properties": FIELDS}}
        group = self._call(
            "POST",
            f"{REGISTRY}/fieldgroups",
            {
                "type": "object",
                "title": f"{name} fields",
                "description": text,
                "meta:intendedToExtend": [EVENT],
                "definitions": {"customFields": {"type": "object", "properties": properties}},
                "allOf": [{"$ref": "#/definitions/customFields"}],
            },
        )["$id"]
        parts = [{"$ref": EVENT}, {"$ref": group}]
        body: dict[str, Any] = {"type": "object", "title": name, "description": text, "allOf": parts}
        schema = self._call("POST", f"{REGISTRY}/schemas", body)["$id"]
        body = {"name": name, "description": text}
        body["schemaRef"] = {"id": schema, "contentType": "application/vnd.adobe.xed+json;version=1"}
        dataset = self._call("POST", f"{CATALOG}/dataSets", body)[0].rsplit("/", 1)[1]
        params = {"username": "service-account", "password": "pa55-of-mixpanel"}
        body = {"name": name, "description": text, "connectionSpec": MIXPANEL}
        body["auth"] = {"specName": "Basic Authentication", "params": params}
        base = self._call("POST", f"{FLOW}/connections", body)["id"]
        body = {"name": name, "description": text, "connectionSpec": MIXPANEL, "baseConnectionId": base}
        body |= {"data": {"format": "json"}, "params": {"projectId": "2671127", "timezone": "Pacific Standard Time"}}
        source = self._call("POST", f"{FLOW}/sourceConnections", body)["id"]
        version = "application/vnd.adobe.xed-full+json;version=1"
        body = {"name": name, "description": text, "connectionSpec": DATA_LAKE, "params": {"dataSetId": dataset}}
        body["data"] = {"format": "parquet_xdm", "schema": {"id": schema, "version": version}}
        target = self._call("POST", f"{FLOW}/targetConnections", body)["id"]
        lines = [
            {
                "sourceType": each.get("source_type", "ATTRIBUTE"),
                "source": each["source"],
                "destination": str(each["destination"]).replace("{tenantId}", self.tenant),
            }
            for each in MAPPINGS
        ]
        body = {"outputSchema": {"schemaRef": {"id": schema, "contentType": version}}, "mappings": lines}
        mapping = self._call("POST", f"{DATA_PREP}/mappingSets", body)["id"]
        body = {"name": name, "description": text, "flowSpec": REST_TO_AEP, "sourceConnectionIds": [source]}
        body["targetConnectionIds"] = [target]
        body["transformations"] = [{"name": "Mapping", "params": {"mappingId": mapping, "mappingVersion": 0}}]
        body["scheduleParams"] = {"startTime": int(time.time()), "frequency": "hour", "interval": 1}
        flow = self._call("POST", f"{FLOW}/flows", body)["id"]
        return dict(zip(ORDER, (group, schema, dataset, base, source, target, mapping, flow), strict=True))

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        self.calls += 1
        answer = self.session.request(method, self.url + path, json=body, headers=headers, timeout=60)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def _path(kind: str, key: str) -> str:
    base = {"fieldgroups": REGISTRY, "schemas": REGISTRY, "dataSets": CATALOG, "mappingSets": DATA_PREP}.get(kind, FLOW)
    return f"{base}/{kind}/{quote(key, safe='')}"
