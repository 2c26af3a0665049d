"""The component for any source: the flow spec follows from the source, and mistakes are found at the first preview."""

from collections.abc import Callable

from acceptance.support import Stack, both_doors, nothing_changed, writes
from pulumi_aep import FlowSpec
from support.emulator import Emulator

STREAM = """
aep.Source(
    "clicks",
    connection_spec="HTTP API",
    auth={"spec_name": "Streaming Connection", "params": {"sourceId": "clicks", "dataType": "raw", "name": "clicks"}},
    data={"format": "json"},
    fields={"page": {"type": "string"}},
    mappings=[{"source": "page", "destination": "_{tenantId}.page"}],
)
"""
TABLE = """
aep.Source(
    "customers",
    connection_spec="PostgreSQL",
    auth={"spec_name": "Connection String Based Authentication", "params": {"connectionString": "canary-pa55"}},
    data={"format": "tabular"},
    params={"tableName": "public.customers", "columns": []},
    fields={"city": {"type": "string"}},
    class_id=aep.XdmClass.PROFILE,
    mappings=[{"source": "city", "destination": "_{tenantId}.city"}],
    schedule={"frequency": "day", "interval": 1},
    delta_column={"name": "updated", "date_format": "YYYY-MM-DD"},
    options={"partial_ingestion_percent": 5},
)
"""
FILES = """
aep.Source(
    "orders",
    connection_spec="Amazon S3",
    auth={"spec_name": "Access Key", "params": {"s3AccessKey": "AKIAIOSFODNN7EXAMPLE", "s3SecretKey": "canary-pa55"}},
    data={"format": "delimited"},
    params={"path": "/orders", "type": "folder"},
    fields={"order": {"type": "string"}},
    mappings=[{"source": "id", "destination": "_{tenantId}.order"}],
    schedule={"frequency": "hour", "interval": 1},
    encryption=%s,
)
"""
PARTS = """
group = aep.FieldGroup("clicks", title="click fields", fields={"page": {"type": "string"}})
schema = aep.Schema("clicks", field_group_ids=[group.id])
aep.MappingSet("clicks", schema_id=schema.id, mappings=[{"source": "p", "destination": "_{tenantId}.%s"}])
"""


@both_doors
def test_encrypted_files(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """The key pair is a resource of the same program; another one is made, the flow follows, the old one goes."""
    key = 'key = aep.EncryptionKey("orders", passphrase="canary-pa55-%s")\n'
    encryption = '{"public_key_id": key.id, "sign_verification_key_id": "own"}'
    dev = stack(key % "one" + FILES % '{"sign_verification_key_id": "own"}')
    assert "encryption.public_key_id: is required" in dev.fail("preview")
    assert writes(emulator) == []
    dev.program(key % "one" + FILES % encryption)
    dev.up()
    assert encrypted_with(emulator) == [item["id"] for item in emulator.objects()["EncryptionKey"]]
    (before,) = emulator.objects()["Flow"]
    assert dev.preview().changes == {}
    assert nothing_changed(dev.refresh())
    dev.program(key % "two" + FILES % encryption)
    changes = dev.preview().changes
    assert changes["Flow orders"] == "update"
    emulator.clear_journal()
    text = dev.up()
    assert writes(emulator) == ["POST keys", "PATCH flows", "DELETE keys"]
    (after,) = emulator.objects()["Flow"]
    assert after["id"] == before["id"]
    assert encrypted_with(emulator) == [item["id"] for item in emulator.objects()["EncryptionKey"]]
    assert dev.preview().changes == {}
    assert "canary-pa55" not in text + dev.export()
    dev.destroy()
    assert not any(emulator.objects().values())


def encrypted_with(emulator: Emulator) -> list[str]:
    (flow,) = emulator.objects()["Flow"]
    mapping, encryption = flow["transformations"]
    assert (mapping["name"], encryption["name"]) == ("Mapping", "Encryption")
    assert encryption["params"].pop("signVerificationKeyId") == "own"
    return [*encryption["params"].values()]


@both_doors
def test_a_stream_and_a_table(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(STREAM + TABLE)
    dev.up()
    flows = {item["name"]: item for item in emulator.objects()["Flow"]}
    assert flows["clicks"]["flowSpec"]["id"] == FlowSpec.STREAMING_WITH_TRANSFORMATION
    assert "scheduleParams" not in flows["clicks"]
    assert flows["customers"]["flowSpec"]["id"] == FlowSpec.CRM_TO_AEP
    assert flows["customers"]["transformations"][0] == {
        "name": "Copy",
        "params": {"deltaColumn": {"name": "updated", "dateFormat": "YYYY-MM-DD"}},
    }
    assert flows["customers"]["options"] == {"partialIngestionPercent": 5}
    emulator.clear_journal()
    assert dev.preview().changes == {}
    assert not [each for each in emulator.journal() if "Specs" in each["path"]], (
        "a preview without changes asks for none"
    )
    assert "canary-pa55" not in dev.export()

    before = emulator.objects()["Flow"]
    dev.program(
        STREAM.replace("    fields=", '    schedule={"frequency": "hour", "interval": 1},\n    fields=') + TABLE
    )
    text = dev.fail("preview")
    assert (
        "schedule: flow spec Steam data with transformation is for streaming, which has no schedule: remove it" in text
    )
    dev.fail("up", "--yes", "--skip-preview")
    dev.config({"aep:onlineChecks": "false"})
    assert "a flow is replaced to gain or lose its schedule" in dev.fail("up", "--yes", "--skip-preview")
    assert emulator.objects()["Flow"] == before
    dev.config({"aep:onlineChecks": None})
    dev.program(STREAM + TABLE.replace('"source": "city"', '"source": "town"'))
    dev.up()
    versions = {item["name"]: item["transformations"][-1]["params"]["mappingVersion"] for item in before}
    after = {item["name"]: item for item in emulator.objects()["Flow"]}
    assert after["customers"]["id"] == flows["customers"]["id"], "the mapping, its second transformation, in place"
    assert after["customers"]["transformations"][1]["params"]["mappingVersion"] != versions["customers"]
    dev.destroy()


@both_doors
def test_what_a_new_flow_needs_of_its_source_is_known(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """The ids are unknown at the first preview; what the source was given is not."""
    dev = stack(TABLE.replace("    fields=", "    flow_spec=aep.FlowSpec.REST_STORAGE_TO_AEP,\n    fields="))
    text = dev.fail("preview")
    refused = "flow_spec: flow spec RestStorageToAEP does not take PostgreSQL: leave flow_spec out, or take CRMToAEP"
    assert dev.spelled(refused) in text
    assert writes(emulator) == []


@both_doors
def test_mistakes_in_a_mapping(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(STREAM.replace("_{tenantId}.page", "_{tenantId}.pages"))
    text = dev.fail("preview")
    refused = "mappings[0].destination: _{tenantId}.pages is not in the schema; is it _{tenantId}.page?"
    assert refused in text
    dev.program(PARTS % "page")
    dev.preview()
    dev.program(PARTS % "pages")
    assert refused in dev.fail("preview")
    if dev.door == "dynamic":  # the native door has no gate: without a preview it makes what comes before the mapping
        assert refused in dev.fail("up", "--yes", "--skip-preview"), "the gate knows it too"
    assert writes(emulator) == []
