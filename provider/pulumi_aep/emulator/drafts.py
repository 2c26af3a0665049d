"""Flow Service: draft mode. A draft may be incomplete; publishing judges it whole, parents first."""

from functools import partial

from . import catalogue, flow_rules, patch, schemas
from .flow_rules import BASE, FLOW, SOURCE, TARGET, fetch
from .gateway import check
from .rules import Json, Rule, Service, note
from .store import Space

_PAGE, _ERRORS = "docs tutorials/api/draft.md", "docs sources/errors/flow-service-errors.md"
_rule, _note = partial(Rule, Service.FLOW), partial(note, Service.FLOW)
_WHICH = f"assumed which of 1420-1422; {_ERRORS}"
UNSUPPORTED = _rule(400, "", "The spec does not support draft mode", f"assumed code; rule: {_PAGE}")
TRANSITION = _rule(400, "FLOW-1420-400", "The state transition is not allowed", _WHICH)
_note("A draft may lack any field but connectionSpec or flowSpec; what it has must be well-formed.")
_note("isDraftModeSupported: set for the data lake, HTTP API, Google BigQuery and their flow specs only.")
_note("All fields of a draft can be patched, but not its spec. Nothing live can be made upon a draft.")
_note("lastOperation.operation of a draft is draft_create.", _PAGE)
_note("lastOperation.operation of a draft that is patched is draft_update; when published, publish.")

_PARENTS = {SOURCE: {BASE: "baseConnectionId"}, FLOW: {SOURCE: "sourceConnectionIds", TARGET: "targetConnectionIds"}}
_ENDS: Json = {"sourceConnectionIds": [], "targetConnectionIds": []}  # readers rely on them


def stored(kind: str, item: Json) -> Json:
    """The draft in its stored form. It must have a known spec that supports drafts, and its auth one of the spec's."""
    known = catalogue.FLOW_SPECS if kind == FLOW else catalogue.CONNECTION_SPECS
    spec = flow_rules.spec_of(known, item["flowSpec" if kind == FLOW else "connectionSpec"])
    if not spec["attributes"]["isDraftModeSupported"]:
        raise UNSUPPORTED(f"{spec['name']} does not support draft mode")
    if "auth" in item and catalogue.auth_spec(spec["id"], item["auth"]["specName"]) is None:
        raise flow_rules.AUTH_NAME(f"auth specs of {spec['name']}: {', '.join(a['name'] for a in spec['authSpec'])}")
    return (_ENDS if kind == FLOW else {}) | item


def patchable(kind: str) -> patch.Allowed:
    """All of a draft's fields, but not its spec."""
    names = [name for name in schemas.fields(kind) if name not in ("connectionSpec", "flowSpec")]
    return {f"/({'|'.join(names)})(/.*)?": "add replace remove", "/connectionSpec.*": "add replace remove"}


def refuse_draft_parents(space: Space, kind: str, item: Json) -> None:
    for parent, name in _PARENTS.get(kind, {}).items():
        value = item.get(name) or []
        for key in [value] if isinstance(value, str) else value:
            if fetch(space, parent, key)["state"] == "draft":
                raise TRANSITION(f"{name}: {key[:64]} is a draft; publish it first", id=key[:64], type=parent)


def published(kind: str, item: Json) -> Json:
    """The draft as an enabled item, judged as one that is created."""
    if item["state"] != "draft":
        raise TRANSITION("only a draft can be published", id=item["id"])
    names = schemas.fields(kind)
    check(kind, {name: item[name] for name in names if name in item}, flow_rules.BODY)
    return item | {"state": "enabled"}
