"""The sandbox of the samples in docs/cli: a web shop's events, with a good run and two bad ones."""

from typing import Any

from pulumi_aep.components.mixpanel_source import FIELDS, MAPPINGS
from support import mixpanel
from support.emulator import CATALOG, DATA_PREP, FLOW, REGISTRY, Emulator

LOSING = "iif(properties.item_price == '1000.00', null, dformat(properties.time * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\"))"
S3 = {"id": "ecadc60c-7455-4d87-84dc-2a0e293d997b", "version": "1.0"}
TYPES = {name: field["type"] for name, field in FIELDS.items()}


def mappings(timestamp: str | None = None) -> list[dict[str, Any]]:
    """The component's own, on the wire; with another source of the timestamp."""
    lines = []
    for line in MAPPINGS:
        destination = str(line["destination"]).replace("{tenantId}", "emulator")
        source = timestamp if timestamp and destination == "timestamp" else line["source"]
        kind = line.get("source_type", "ATTRIBUTE")
        lines.append({"sourceType": kind, "source": source, "destination": destination})
    return lines


class World:
    """One dataflow in the sandbox `local`; `post` and `advance` change it."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.group = self.post(f"{REGISTRY}/tenant/fieldgroups", mixpanel.field_group("web-shop fields", TYPES), "$id")
        self.schema = self.post(f"{REGISTRY}/tenant/schemas", mixpanel.schema(self.group, title="web-shop"), "$id")
        answer = emulator.request("POST", f"{CATALOG}/dataSets", mixpanel.dataset(self.schema, "web-shop"))
        self.dataset = answer.json()[0].rsplit("/", 1)[1]
        self.base = self.post(f"{FLOW}/connections", mixpanel.base("web-shop"))
        self.source = self.post(f"{FLOW}/sourceConnections", mixpanel.source(self.base, "web-shop"))
        target = mixpanel.target(self.dataset, self.schema, "web-shop")
        self.target = self.post(f"{FLOW}/targetConnections", target)
        body = {**mixpanel.mapping_set(self.schema), "mappings": mappings()}
        self.mapping = self.post(f"{DATA_PREP}/mappingSets", body)
        flow = mixpanel.flow(self.source, self.target, self.mapping, "web-shop")
        more = {"scheduleParams": {"startTime": "1625040887", "frequency": "once"}}
        self.flow = self.post(f"{FLOW}/flows", flow | more | {"options": {"partialIngestionPercent": 50}})
        self.advance(1)

    def history(self) -> None:
        """After the good run one that loses records and one during an outage; then everything is as before."""
        self.lossy()
        self.use(mappings(), 2)
        self.advance(3_600)
        self.emulator.settings(source_outage=True)
        self.run()
        self.emulator.settings(source_outage=False)

    def lossy(self) -> None:
        """After the good run one that loses records."""
        self.use(mappings(LOSING), 1)
        self.advance(3_600)
        self.run()

    def sources(self) -> None:
        """A source of files, and a flow with the mapping that the tutorial prints."""
        auth = {"specName": "Access Key", "params": {"s3AccessKey": "key", "s3SecretKey": "pa55-of-mixpanel"}}
        self.post(f"{FLOW}/connections", {"name": "files", "connectionSpec": S3, "auth": auth})
        line = {"sourceType": "ATTRIBUTE", "source": "data.distinct_id", "destination": "_emulator.distinct_id"}
        body = {**mixpanel.mapping_set(self.schema), "mappings": [line]}
        mapping = self.post(f"{DATA_PREP}/mappingSets", body)
        self.post(f"{FLOW}/flows", mixpanel.flow(self.source, self.target, mapping, "tutorial"))

    def use(self, lines: list[dict[str, Any]], version: int) -> None:
        """A new version of the mapping set, which the flow then uses."""
        body = {**mixpanel.mapping_set(self.schema), "id": self.mapping, "mappings": lines}
        self.emulator.request("PUT", f"{DATA_PREP}/mappingSets/{self.mapping}", body).raise_for_status()
        item = self.emulator.request("GET", f"{FLOW}/flows/{self.flow}").json()["items"][0]
        mapping = {"name": "Mapping", "params": {"mappingId": self.mapping, "mappingVersion": version}}
        patch = [{"op": "replace", "path": "/transformations/0", "value": mapping}]
        headers = {"If-Match": item["etag"]}
        answer = self.emulator.request("PATCH", f"{FLOW}/flows/{self.flow}", patch, headers=headers)
        answer.raise_for_status()

    def run(self) -> str:
        return self.post(f"{FLOW}/runs", {"flowId": self.flow})

    def advance(self, seconds: int) -> None:
        self.emulator.control("POST", "clock", {"advance_s": seconds}).raise_for_status()

    def post(self, path: str, body: dict[str, Any], key: str = "id") -> str:
        answer = self.emulator.request("POST", path, body)
        assert answer.ok, answer.text
        return str(answer.json()[key])
