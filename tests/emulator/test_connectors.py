"""Connectors API: landing zone, encryption keys; the landing zone explored through its spec."""

from typing import Any

from pulumi_aep.emulator.flow_service import source_data, specs
from support.emulator import FLOW, Emulator
from support.refusal import CANARY, refused

BASE = "/data/foundation/connectors"
ZONE = f"{FLOW}/connectionSpecs/26f526f2-58f4-4712-961d-e41bf1ccc0e8/explore"


def get(emulator: Emulator, path: str, sandbox: str = "local", **query: str) -> Any:
    answer = emulator.request("GET", path, params=query, sandbox=sandbox)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_landing_zone_has_credentials_until_they_are_refreshed_or_expire(emulator: Emulator) -> None:
    asked = {"type": "user_drop_zone"}
    zone = get(emulator, f"{BASE}/landingzone", **asked)
    assert zone == {"containerName": "dlz-user-container", "containerTTL": "7"}
    first = get(emulator, f"{BASE}/landingzone/credentials", **asked)
    assert {*first} == {"containerName", "SASToken", "storageAccountName", "SASUri", "expiryDate"}
    assert first["SASUri"].endswith(f"/dlz-user-container?{first['SASToken']}")
    assert get(emulator, f"{BASE}/landingzone/credentials", **asked) == first
    assert get(emulator, f"{BASE}/landingzone/credentials", "dev", **asked)["SASToken"] != first["SASToken"]
    query = {"type": "user_drop_zone", "action": "refresh"}
    second = emulator.request("POST", f"{BASE}/landingzone/credentials", params=query).json()
    assert second["SASToken"] != first["SASToken"]
    emulator.control("POST", "clock", {"advance_s": 8 * 86400})
    assert get(emulator, f"{BASE}/landingzone/credentials", **asked)["SASToken"] != second["SASToken"]
    refused(emulator.request("GET", f"{BASE}/landingzone"), "connectors.type")
    refused(emulator.request("POST", f"{BASE}/landingzone/credentials", params=asked), "connectors.action")


def test_encryption_keys(emulator: Emulator) -> None:
    body = {"name": "files", "encryptionAlgorithm": "PGP", "params": {"passPhrase": CANARY}}
    made = emulator.request("POST", f"{BASE}/encryption/keys", body)
    assert made.status_code == 200, made.text
    assert {*made.json()} == {"publicKey", "publicKeyId", "expiryTime"}
    key = get(emulator, f"{BASE}/encryption/keys/{made.json()['publicKeyId']}")
    assert key == made.json() | {"encryptionAlgorithm": "PGP", "name": "files", "keyType": "ADOBE_MANAGED"}
    assert get(emulator, f"{BASE}/encryption/keys") == [key]
    assert CANARY not in emulator.db.read_bytes().decode(errors="replace")
    refused(
        emulator.request("POST", f"{BASE}/encryption/keys", body | {"encryptionAlgorithm": "AES"}), "connectors.body"
    )
    refused(
        emulator.request("POST", f"{BASE}/encryption/keys", body | {"params": {"passPhrase": ""}}), "connectors.body"
    )
    refused(emulator.request("GET", f"{BASE}/encryption/keys/nosuch"), "connectors.no_key")
    path = f"{BASE}/encryption/keys/validate/{key['publicKeyId']}"
    assert get(emulator, path) == {"publicKeyId": key["publicKeyId"], "status": "Active"}
    emulator.control("POST", "clock", {"advance_s": 181 * 86400})
    assert get(emulator, path)["status"] == "Expired"
    assert emulator.request("DELETE", f"{BASE}/encryption/keys/{key['publicKeyId']}").status_code == 204
    assert get(emulator, f"{BASE}/encryption/keys") == []
    refused(emulator.request("DELETE", f"{BASE}/encryption/keys/{key['publicKeyId']}"), "connectors.no_key")


def test_the_landing_zone_is_explored_through_its_spec(emulator: Emulator) -> None:
    (folder,) = get(emulator, ZONE, objectType="root")
    assert folder["path"] == "dlz-user-container/acme"
    entries = get(emulator, ZONE, objectType="folder", object=folder["path"])
    csv = next(entry for entry in entries if entry["name"] == "customers.csv")
    assert csv["path"] == "dlz-user-container/acme/customers.csv"
    asked = {"objectType": "file", "object": csv["path"], "preview": "true"}
    spec = specs.CONNECTION_SPECS["26f526f2-58f4-4712-961d-e41bf1ccc0e8"]
    found = get(emulator, ZONE, fileType="delimited", **asked)
    assert found["data"] == source_data.rows(spec, "delimited")
    determined = get(emulator, ZONE, determineProperties="true", **asked)
    assert determined == found | {
        "properties": {"fileType": "delimited", "compressionType": "none", "columnDelimiter": ","}
    }
    both = {"determineProperties": "true", "fileType": "delimited", **asked}
    refused(emulator.request("GET", ZONE, params=both), "flow_service.explore", "determineProperties")
    s3 = f"{FLOW}/connectionSpecs/ecadc60c-7455-4d87-84dc-2a0e293d997b/explore?objectType=root"
    refused(emulator.request("GET", s3), "flow_service.explore", "Amazon S3")
