"""Flow Service: checks on the content of its four kinds. They also bring the item into its stored form."""

import re
from typing import Any

from ..core import patch
from ..core.errors import Json, Rule
from ..core.gateway import Call
from ..core.store import SandboxStore
from ..core.validation import check, check_schema, fields
from . import rules, specs

BASE, SOURCE, TARGET, FLOW = "connections", "sourceConnections", "targetConnections", "flows"

_PARENTS = {SOURCE: {BASE: "baseConnectionId"}, FLOW: {SOURCE: "sourceConnectionIds", TARGET: "targetConnectionIds"}}


def fetch(objects: SandboxStore, kind: str, key: str, missing: Rule = rules.entity) -> Json:
    item = objects.get(kind, key)
    if item is None:
        raise missing(f"{kind} not found with id = [{key[:64]}]", id=key[:64], type=kind)
    return item


def spec_of(specs: dict[str, Json], ref: Json) -> Json:
    spec = specs.get(ref["id"])
    if spec is None or spec["version"] != ref["version"]:
        raise rules.spec(f"no spec {ref['id'][:64]!r} in version {ref['version'][:16]!r}")
    return spec


def check_connection(call: Call, item: Json, changed: set[str]) -> None:
    spec, auth = spec_of(specs.CONNECTION_SPECS, item["connectionSpec"]), item.get("auth")
    if auth is None and not spec["authSpec"]:
        return
    known = specs.auth_spec(spec["id"], auth["specName"]) if auth else None
    if auth is None or known is None:
        names = ", ".join(known["name"] for known in spec["authSpec"]) or "none"
        raise rules.auth_name(f"{'' if auth else 'auth is missing; '}auth specs of {specs.label(spec)}: {names}")
    if spec["id"] == specs.HTTP_API:  # what its reads show beside; a client may send it back
        auth["params"] = {name: value for name, value in auth["params"].items() if name not in ("inletId", "inletUrl")}
    check_schema(known["spec"], auth["params"], "auth.params", rules.auth_params)
    if "auth" in changed and credentials_rejected(call.objects, item):
        raise rules.credentials()


def in_outage(objects: SandboxStore, base_id: str) -> bool:
    """Whether the setting source_outage is on: for all sources, or for this base connection."""
    outage = objects.settings["source_outage"]
    return base_id in outage if isinstance(outage, list) else bool(outage)


def credentials_rejected(objects: SandboxStore, connection: Json) -> bool:
    """Whether a secret of the base connection is in the setting reject_passwords."""
    rejected = objects.settings["reject_passwords"]
    if "auth" not in connection or not rejected:
        return False
    return any(connection["auth"]["params"].get(name) in rejected for name in specs.secret_params(connection))


def check_source(call: Call, item: Json, changed: set[str]) -> None:
    spec = spec_of(specs.CONNECTION_SPECS, item["connectionSpec"])
    kind = specs.kind(spec["id"])
    if kind == "nothing":
        raise rules.spec_pair(f"{specs.label(spec)} is no source")
    if "baseConnectionId" not in item and spec["authSpec"]:
        raise rules.body(f"baseConnectionId is missing: {specs.label(spec)} needs a base connection")
    if "baseConnectionId" in item and "baseConnectionId" in changed:
        base = fetch(call.objects, BASE, item["baseConnectionId"])
        if base["connectionSpec"] != item["connectionSpec"]:
            raise rules.spec_pair("connectionSpec differs from that of the base connection")
    formats = specs.formats(spec)
    if ("data" in item or formats != ["json"]) and item.get("data", {}).get("format") not in formats:
        raise rules.format(f"data.format of {specs.label(spec)}: {', '.join(formats)}")
    check_schema(specs.source_schema(spec), item.get("params", {}), "params", rules.params)


def check_target(call: Call, item: Json, changed: set[str]) -> None:
    spec = spec_of(specs.CONNECTION_SPECS, item["connectionSpec"])
    if specs.kind(spec["id"]) != "nothing":
        raise rules.spec_pair(f"{specs.label(spec)} is a source; the data lake is {specs.DATA_LAKE}")
    if changed & {"params", "data"}:
        dataset = fetch(call.objects, "dataSets", item["params"]["dataSetId"])
        schema = item.get("data", {}).get("schema")
        if schema and schema["id"] != dataset["schemaRef"]["id"]:
            raise rules.schema_differs("data.schema.id is not the schema of the dataset")


def check_flow(call: Call, item: Json, changed: set[str]) -> None:
    spec = spec_of(specs.FLOW_SPECS, item["flowSpec"])
    target = fetch(call.objects, TARGET, item["targetConnectionIds"][0])
    source = fetch(call.objects, SOURCE, item["sourceConnectionIds"][0])
    for end, accepted in ((source, "sourceConnectionSpecIds"), (target, "targetConnectionSpecIds")):
        if end["connectionSpec"]["id"] not in spec[accepted]:
            raise rules.spec_pair(f"flow spec {spec['name']} does not accept spec {end['connectionSpec']['id']}")
    if not item.get("transformations"):
        call.accept("flow_service.mapping_optional")
    if "transformations" in changed:
        _check_transformations(call.objects, item, spec, target)
    if changed & {"scheduleParams", "flowSpec"}:
        _check_schedule(call, item, spec)
    check_schema((spec.get("optionSpec") or {}).get("spec") or {}, item.get("options", {}), "options", rules.options)


def _check_transformations(objects: SandboxStore, item: Json, spec: Json, target: Json) -> None:
    known = {transformation["name"]: transformation.get("spec") or {} for transformation in spec["transformationSpecs"]}
    for index, each in enumerate(item.setdefault("transformations", [])):
        place, params = f"transformations.{index}", each["params"]
        if each["name"] not in known:
            raise rules.transformation(f"{place}.name must be one of: {', '.join(known) or 'none'}")
        check_schema(known[each["name"]], params, f"{place}.params", rules.transformation)
        if each["name"] == "Mapping":
            params["mappingVersion"] = str(params.get("mappingVersion", "0"))
            _check_mapping(objects, params, target)


def _check_mapping(objects: SandboxStore, params: Json, target: Json) -> None:
    stored, version = objects.get("mappingSets", params["mappingId"]), params["mappingVersion"]
    if stored is None:
        raise rules.mapping(f"mapping set {params['mappingId'][:64]!r} not found")
    if not re.fullmatch("[0-9]{1,6}", version) or int(version) >= len(stored["versions"]):
        last = len(stored["versions"]) - 1
        raise rules.mapping_version(f"mapping set {params['mappingId']} has versions 0 to {last}")
    dataset = objects.get("dataSets", target["params"]["dataSetId"])
    if dataset is None or dataset["schemaRef"]["id"] != stored["versions"][int(version)]["schema"]:
        raise rules.schema_differs(f"the mapping set is made for {stored['versions'][int(version)]['schema']}")


def _check_schedule(call: Call, item: Json, spec: Json) -> None:
    given = item.get("scheduleParams")
    if "scheduleSpec" not in spec or given is None:
        if ("scheduleSpec" in spec) != (given is not None):
            raise rules.schedule("scheduleParams: a batch flow needs it, a streaming flow takes none")
        return
    typed = {name: _parse_schedule_value(name, value) for name, value in given.items()}
    check_schema(spec["scheduleSpec"]["spec"], typed, "scheduleParams", rules.schedule)
    if typed["frequency"] != "once":
        typed.setdefault("backfill", call.assumed("flow_service.backfill_default"))
    item["scheduleParams"] = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in typed.items()}


def _parse_schedule_value(name: str, value: Any) -> Any:
    """Clients may send numbers and booleans as strings."""
    if not isinstance(value, str):
        return value
    if name in ("startTime", "interval") and re.fullmatch("-?[0-9]{1,18}", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name == "backfill" else value


def check_start_time(call: Call, before: Json, value: Any) -> None:
    """Only a start time in the future may change, to another in the future."""
    for given in (before.get("scheduleParams", {}).get("startTime"), value):
        start = _parse_schedule_value("startTime", given)
        if not isinstance(start, int) or start <= call.store.now_ms() // 1000:
            raise rules.start_past()


def check_unused(rule: Rule, objects: SandboxStore, key: str) -> None:
    """No flow uses this base (`base_used`), source or target connection (`used`)."""
    keys = (
        [key] if rule is rules.used else [source["id"] for source in objects.all(SOURCE, {"baseConnectionId": [key]})]
    )
    found = [objects.all(FLOW, {f"{end}[0]": [each]}) for each in keys for end in _PARENTS[FLOW].values()]
    if users := [flow["id"] for flows in found for flow in flows]:
        raise rule(f"used by flows {', '.join(users[:5])}", id=key)


# -- drafts: may be incomplete; publishing one checks it in full, after its parents ----------------------------------


def as_draft(kind: str, item: Json) -> Json:
    """The draft in its stored form. It must have a known spec that supports drafts, and its auth one of the spec's."""
    known = specs.FLOW_SPECS if kind == FLOW else specs.CONNECTION_SPECS
    spec = spec_of(known, item["flowSpec" if kind == FLOW else "connectionSpec"])
    if not spec["attributes"].get("isDraftModeSupported"):
        raise rules.unsupported(f"{specs.label(spec)} does not support draft mode")
    if "auth" in item and specs.auth_spec(spec["id"], item["auth"]["specName"]) is None:
        raise rules.auth_name(f"auth specs of {specs.label(spec)}: {', '.join(a['name'] for a in spec['authSpec'])}")
    return ({"sourceConnectionIds": [], "targetConnectionIds": []} if kind == FLOW else {}) | item  # readers need them


def patchable(kind: str) -> patch.Allowed:
    """All of a draft's fields, but not its spec."""
    names = [name for name in fields(kind) if name not in ("connectionSpec", "flowSpec")]
    return {f"/({'|'.join(names)})(/.*)?": "add replace remove", "/connectionSpec.*": "add replace remove"}


def check_parents_published(objects: SandboxStore, kind: str, item: Json) -> None:
    for parent, name in _PARENTS.get(kind, {}).items():
        value = item.get(name) or []
        for key in [value] if isinstance(value, str) else value:
            if fetch(objects, parent, key)["state"] == "draft":
                raise rules.transition(f"{name}: {key[:64]} is a draft; publish it first", id=key[:64], type=parent)


def publish(kind: str, item: Json) -> Json:
    """The draft as an enabled item, checked like a new one."""
    if item["state"] != "draft":
        raise rules.transition("only a draft can be published", id=item["id"])
    names = fields(kind)
    check(kind, {name: item[name] for name in names if name in item}, rules.body)
    return item | {"state": "enabled"}
