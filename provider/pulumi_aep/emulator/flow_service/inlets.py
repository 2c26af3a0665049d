"""The inlets of HTTP API connections and of the flows of webhook sources, to which streams send (see streaming).

The id of an inlet holds theirs, so nothing is stored for it.
"""

import hashlib

from ..core.errors import Json
from . import specs
from .checks import BASE, FLOW

BASE_PATH = "/collection"


def inlet_id(key: str) -> str:
    """64 hex digits, as Adobe's have: the id of the connection or flow, and a hash of it."""
    bare = key.replace("-", "")
    return bare + hashlib.sha256(bare.encode()).hexdigest()[:32]


def is_webhook(flow: Json) -> bool:
    return bool(flow["flowSpec"]["id"] == specs.GENERIC_STREAMING)


def with_inlet(base_url: str, kind: str, item: Json) -> Json:
    """The item as read: with the inlet of an HTTP API connection, or of a webhook's flow."""
    url = f"{base_url}{BASE_PATH}/{inlet_id(item['id'])}"
    if item["state"] == "draft":
        return item
    if kind == FLOW and is_webhook(item):
        return item | {"options": item.get("options", {}) | {"inletUrl": url}}
    if kind == BASE and item["connectionSpec"]["id"] == specs.HTTP_API:
        params = item["auth"]["params"]
        name = params.get("name", item.get("name", ""))
        shown = {"name": name, "sourceId": name, "authenticationRequired": False, **params}
        return item | {"auth": item["auth"] | {"params": shown | {"inletId": inlet_id(item["id"]), "inletUrl": url}}}
    return item
