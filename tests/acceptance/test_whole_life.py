"""The repository's own program and stack: created, left alone, changed from outside, corrected, taken down."""

from collections import Counter
from typing import Any

from acceptance.support import Stack, both_doors, calls, nothing_changed, reads, writes
from kinds import DESCRIPTIONS
from support.emulator import DATA_LAKE, EXPERIENCE_EVENT, FLOW, MIXPANEL, REST_TO_AEP, Emulator

KINDS = {
    "BaseConnection",
    "SourceConnection",
    "TargetConnection",
    "Flow",
    "MappingSet",
    "FieldGroup",
    "Schema",
    "Dataset",
}
"""The kinds that the component makes."""

CREATION = {f"POST {DESCRIPTIONS[kind].collection}" for kind in KINDS}


def only(emulator: Emulator) -> dict[str, Any]:
    """The objects of sandbox local by kind: exactly one of each."""
    objects = emulator.objects()
    assert {kind: len(found) for kind, found in objects.items() if found} == dict.fromkeys(KINDS, 1)
    return {kind: objects[kind][0] for kind in KINDS}


def check_wire_content(emulator: Emulator) -> None:
    made = only(emulator)
    base, source, target, flow = (
        made[kind] for kind in ("BaseConnection", "SourceConnection", "TargetConnection", "Flow")
    )
    group, schema, dataset, mapping = (made[kind] for kind in ("FieldGroup", "Schema", "Dataset", "MappingSet"))

    assert base["connectionSpec"] == MIXPANEL
    auth = emulator.request("GET", f"{FLOW}/connections/{base['id']}").json()["items"][0]["auth"]
    assert auth["specName"] == "Basic Authentication"
    assert auth["params"]["host"] == "https://data.mixpanel.com"
    assert auth["params"]["username"] == "Test8.6d4ee7.mp-service-account"

    assert source["baseConnectionId"] == base["id"]
    assert source["connectionSpec"] == MIXPANEL
    assert source["data"]["format"] == "json"
    assert source["params"] == {"projectId": "2384945", "timezone": "Pacific Standard Time"}

    fields = next(iter(group["definitions"].values()))["properties"]["_emulator"]["properties"]
    assert {"event_name", "distinct_id", "time"} <= set(fields)
    assert {part["$ref"] for part in schema["allOf"]} == {EXPERIENCE_EVENT, group["$id"]}
    assert dataset["schemaRef"]["id"] == schema["$id"]

    assert target["connectionSpec"] == DATA_LAKE
    assert target["params"] == {"dataSetId": dataset["id"]}
    assert target["data"]["format"] == "parquet_xdm"
    assert target["data"]["schema"]["id"] == schema["$id"]

    assert mapping["outputSchema"]["schemaRef"]["id"] == schema["$id"]
    pairs = {line["destination"]: line["source"] for line in mapping["mappings"]}
    assert pairs["_emulator.distinct_id"] == "properties.distinct_id"
    assert {"_id", "timestamp"} <= set(pairs)

    assert flow["flowSpec"] == REST_TO_AEP
    assert flow["sourceConnectionIds"] == [source["id"]]
    assert flow["targetConnectionIds"] == [target["id"]]
    assert flow["transformations"] == [
        {"name": "Mapping", "params": {"mappingId": mapping["id"], "mappingVersion": "0"}}
    ]
    assert flow["scheduleParams"].items() >= {"frequency": "minute", "interval": "15"}.items()
    assert flow["state"] == "enabled"

    for kind, item in made.items():
        if DESCRIPTIONS[kind].natural_key:
            assert item["name"].startswith("Mixpanel web shop")
            assert item["description"].startswith("[pulumi: pulumi-aep/local/web-shop#")


@both_doors
def test_the_whole_life(repository: Stack, emulator: Emulator) -> None:
    repository.up()
    assert len(writes(emulator)) == len(KINDS)
    assert set(writes(emulator)) == CREATION
    assert max(Counter(reads(emulator)).values()) == 1, "each look-up is made once"
    check_wire_content(emulator)
    made = only(emulator)
    shown = repository.outputs()["mixpanel"]["web-shop"]
    assert shown["flow"] == "Mixpanel web shop"
    assert shown["flowId"] == made["Flow"]["id"]
    assert shown["schemaId"] == made["Schema"]["$id"]
    assert shown["runsUrl"].endswith(f"/data/foundation/flowservice/runs?property=flowId=={made['Flow']['id']}")

    emulator.clear_journal()
    assert nothing_changed(repository.up())
    assert emulator.journal() == []
    assert only(emulator) == made

    flow = made["Flow"]
    operations = [
        {"op": "replace", "path": "/name", "value": "Renamed in the UI"},
        {"op": "replace", "path": "/scheduleParams/interval", "value": 30},
    ]
    path = f"{FLOW}/flows/{flow['id']}"
    emulator.request("PATCH", path, operations, headers={"If-Match": flow["etag"]}).raise_for_status()
    emulator.clear_journal()
    text = repository.refresh()
    assert '"Mixpanel web shop" => "Renamed in the UI"' in text
    assert "15 => 30" in text
    assert writes(emulator) == []
    preview = repository.preview()
    assert preview.changes == {"Flow web-shop": "update"}
    assert "Renamed in the UI" in preview.text

    emulator.clear_journal()
    repository.up()
    assert calls(emulator) == ["POST token", "GET flowSpecs", "PATCH flows"], "the spec of the interval, and one write"
    corrected = only(emulator)["Flow"]
    assert (corrected["name"], corrected["scheduleParams"]) == (flow["name"], flow["scheduleParams"])

    emulator.clear_journal()
    repository.destroy()
    assert len(writes(emulator)) == len(KINDS)
    assert set(writes(emulator)) == {name.replace("POST", "DELETE") for name in CREATION}
    # Is it a production sandbox, and is everything still this stack's (a list per kind)? forceDestroy: data may go.
    kinds = {name.replace("POST", "GET") for name in CREATION}
    assert set(reads(emulator)) == {"GET /data/foundation/sandbox-management/", "GET stats", *kinds}
    assert len(reads(emulator)) == 2 + len(kinds) + 2, "two lists end with an empty page"
    assert {kind for kind, found in emulator.objects().items() if found} == set()
