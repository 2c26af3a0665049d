"""Checks of the rows of a snapshot: after a seed, everything must read as after writes through the services.

A body has the fields that clients send (core/bodies.json) and those that the emulator adds (stored.json). All errors
are ValueErrors without values, which may be secrets.
"""

import json
from functools import cache
from typing import Any

from jsonschema import Draft7Validator

from ..core import gateway, scheduler, validation
from ..core.errors import Json, load
from ..core.store import CLOCK, SandboxStore, Store
from ..flow_service import checks, specs
from ..schema_registry import resources

_SHAPES: Json = load(__package__, "stored.json")
KINDS = [name for name in _SHAPES if name[0].islower() and name not in ("objects", "due", "settings", "clock")]
FLOW_KINDS = (checks.BASE, checks.SOURCE, checks.TARGET, checks.FLOW)
_CONTENT = {"sandboxes": "new sandbox"} | dict.fromkeys(("mappingSets", "records", "rowErrors"), "")
"""Kind → what clients send, if not its name."""

_IDS = dict.fromkeys(resources.WORDS, "$id") | {
    "descriptors": "@id",
    "sandboxes": "name",
    "records": "",
    "rowErrors": "",
}


@cache
def _validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": _SHAPES})


def _check_shape(name: str, value: Any, place: str) -> None:
    if error := validation.describe_errors(_validator(name), value, place):
        raise ValueError(error)


def check_row(table: str, row: Any, place: str) -> None:
    """Checks a row by itself. `place` is where it is in the file."""
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise ValueError(f"{place}: NaN, Infinity and lone surrogates are not JSON") from None
    _check_shape(table, row, place)
    if table == "objects":
        _check_object(row["kind"], row["id"], row["body"], place)
    elif table == "due" and row["what"] not in scheduler.HANDLERS:
        raise ValueError(f"{place}.what: must be one of {', '.join(scheduler.HANDLERS)}")
    elif table == "settings" and row["name"] == CLOCK:
        _check_shape("clock", row, place)
    elif table == "settings" and (error := validation.body_error("settings", {row["name"]: row["value"]}, place)):
        raise ValueError(error)


def _check_object(kind: str, key: str, body: Json, place: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"{place}.kind: must be one of {', '.join(KINDS)}")
    place = f"{place}.body"
    _check_shape(kind, body, place)
    name = _IDS.get(kind, "id")
    if name and body.get(name) != key:
        raise ValueError(f"{place}.{name}: must be the id of the row")
    if content := _CONTENT.get(kind, kind):
        fields = body if kind == "descriptors" else validation.fields(content)
        sent = {name: body[name] for name in fields if name in body}
        shape = f"draft {content}" if body.get("state") == "draft" and kind in FLOW_KINDS else content
        if error := validation.body_error(shape, sent, place):
            raise ValueError(error)
    if kind == checks.FLOW:
        checks.spec_of(specs.FLOW_SPECS, body["flowSpec"])
    elif kind in FLOW_KINDS:
        checks.spec_of(specs.CONNECTION_SPECS, body["connectionSpec"])


def check_relations(store: Store, row: Json, place: str) -> None:
    """Checks an object when all are loaded: its sandbox, and what a schema consists of."""
    kind, sandbox = row["kind"], row["sandbox"]
    if (sandbox == "") != (kind == "sandboxes"):
        raise ValueError(f'{place}.sandbox: must be "" for a sandbox and a name for all else')
    if sandbox and gateway.sandbox(store, sandbox) is None:
        raise ValueError(f"{place}.sandbox: there is no such sandbox")
    if kind in resources.WORDS:
        try:
            resources.check_stored(kind, SandboxStore(store, sandbox), row["body"])
        except RecursionError:
            raise ValueError(f"{place}.body: nested too deeply") from None
