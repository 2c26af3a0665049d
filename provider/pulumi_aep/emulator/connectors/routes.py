"""Connectors API: the data landing zone of a sandbox, and key pairs for encrypted files."""

import base64
import secrets
import uuid
from datetime import UTC, datetime

from ..core.errors import Answer, Json, Service
from ..core.gateway import Call, Router
from ..core.store import SandboxStore, admin_view
from ..flow_service.source_data import CONTAINER
from . import rules

route = Router(Service.CONNECTORS, "/data/foundation/connectors")
_ZONE, _KEYS = "docs tutorials/api/create/cloud-storage/data-landing-zone.md", "docs tutorials/api/encrypt-data.md"


TOKENS, KEYS = "landingZones", "encryptionKeys"
DAYS, KEY_DAYS = 7, 180


def _zone(call: Call) -> None:
    if call.query.get("type") != "user_drop_zone":
        raise rules.type()


@route("GET", "/landingzone", _ZONE)
def landing_zone(call: Call) -> Answer:
    _zone(call)
    return Answer(200, {"containerName": CONTAINER, "containerTTL": str(DAYS)})


@route("GET", "/landingzone/credentials", _ZONE)
def credentials(call: Call) -> Answer:
    """The same until they are refreshed or expire; the first read makes them."""
    _zone(call)
    known = call.objects.get(TOKENS, CONTAINER)
    expired = known is not None and known["expires"] <= call.store.now_ms()
    return Answer(200, _shown(call, _renew(call.objects) if known is None or expired else known))


@route("POST", "/landingzone/credentials", _ZONE)
def refresh(call: Call) -> Answer:
    _zone(call)
    if call.query.get("action") != "refresh":
        raise rules.action()
    return Answer(200, _shown(call, _renew(call.objects)))


def _renew(objects: SandboxStore) -> Json:
    signature = secrets.token_urlsafe(32)
    token = f"sv=2020-04-08&si=dlz-{uuid.uuid4()}&sr=c&sp=racwdlm&sig={signature}%3D"
    made = {"token": token, "expires": objects.now_ms() + DAYS * 86_400_000}
    objects.put(TOKENS, CONTAINER, made)
    return made


def _shown(call: Call, zone: Json) -> Json:
    account = "dlblobstore" + uuid.uuid5(uuid.NAMESPACE_DNS, call.sandbox).hex[:13]
    uri = f"https://{account}.blob.core.windows.net/{CONTAINER}?{zone['token']}"
    expires = datetime.fromtimestamp(zone["expires"] / 1000, UTC).date().isoformat()
    found = {"containerName": CONTAINER, "SASToken": zone["token"], "storageAccountName": account}
    return found | {"SASUri": uri, "expiryDate": expires}


@route("POST", "/encryption/keys", _KEYS)
def create_key(call: Call) -> Answer:
    body = call.body("encryption key", rules.body)
    expires = call.store.now_ms() // 1000 + KEY_DAYS * 86_400
    key = {"encryptionAlgorithm": body["encryptionAlgorithm"], "name": body.get("name", ""), "keyType": "ADOBE_MANAGED"}
    made = {"publicKeyId": str(uuid.uuid4()), "publicKey": base64.b64encode(secrets.token_bytes(256)).decode()}
    made["expiryTime"] = str(expires)
    call.objects.put(KEYS, made["publicKeyId"], key | made)
    return Answer(200, made)


@route("GET", "/encryption/keys", _KEYS)
def list_keys(call: Call) -> Answer:
    return Answer(200, call.objects.all(KEYS))


@route("GET", "/encryption/keys/{id}", _KEYS)
def get_key(call: Call, key: str) -> Answer:
    return Answer(200, call.objects.fetch(KEYS, key, rules.no_key))


@route("DELETE", "/encryption/keys/{id}", _KEYS)
def delete_key(call: Call, key: str) -> Answer:
    call.objects.fetch(KEYS, key, rules.no_key)
    call.objects.delete(KEYS, key)
    return Answer(204)


@route("GET", "/encryption/keys/validate/{id}", _KEYS)
def validate_key(call: Call, key: str) -> Answer:
    expires = int(call.objects.fetch(KEYS, key, rules.no_key)["expiryTime"])
    return Answer(200, {"publicKeyId": key, "status": "Active" if expires > call.store.now_ms() // 1000 else "Expired"})


@admin_view("EncryptionKey")
def _keys_view(objects: SandboxStore) -> list[Json]:
    """The key pairs; no passphrase is kept."""
    return [item | {"id": item["publicKeyId"]} for item in objects.all(KEYS)]
