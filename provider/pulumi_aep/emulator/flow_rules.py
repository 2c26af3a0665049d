"""Flow Service: bodies and rules of the four kinds. A `check_…` judges an item and gives it its stored form."""

import re
import uuid
from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt

from . import catalogue, patch
from .gateway import Body, Call
from .rules import Json, Rule, Service, note
from .store import Space

_ERRORS = "docs sources/errors/flow-service-errors.md"
_F = Service.FLOW
BASE, SOURCE, TARGET, FLOW, RUN = "connections", "sourceConnections", "targetConnections", "flows", "runs"


def _rule(code: str, title: str, source: str = _ERRORS) -> Rule:
    status = int(code[-3:])
    return Rule(_F, f"FLOW-{code}" if len(code) > 3 else "", status, title, source)


NOT_FOUND = _rule("1439-404", "Resource not found", "docs sources/tutorials/api/labels.md (the table says 400)")
ENTITY = _rule("1101-404", "Entity not found", f"assumed for ids inside a body; code: {_ERRORS}")
BODY = _rule("400", "The request body is invalid", "assumed code")
VERSION_MISSING = _rule("422", "connectionSpec.version is missing", "openapi destinations")
SPEC = _rule("1413-400", "Please provide a valid spec id", f"{_ERRORS}; openapi destinations (short form)")
SPEC_PAIR = _rule("1413-400", "The spec does not fit the other specs", f"assumed use of the code; {_ERRORS}")
AUTH_NAME = _rule("1415-400", "Auth spec name not found for the connection spec")
AUTH_PARAMS = _rule(
    "400", "auth.params do not fit the auth spec", "assumed code; rule: docs sources-sdk/config/authspec.md"
)
PARAMS = _rule("400", "params do not fit the source spec", "assumed code; rule: tutorial")
FORMAT = _rule("400", "data.format is not supported by the source", "assumed code; rule: tutorial")
STATE = _rule("1410-400", "state must not be given at creation of a flow")
MAPPING_VERSION = _rule("1412-400", "The mapping version is invalid")
MAPPING = _rule("1419-400", "Mapping validation failed")
SCHEMA_DIFFERS = _rule("1425-400", "The schema of the target dataset differs from the schema of the mapping")
SCHEDULE = _rule(
    "400", "scheduleParams do not fit the flow spec", "assumed code; rule: openapi flow-service (flow spec sample)"
)
START_PAST = _rule(
    "400", "startTime cannot change: it lies in the past", "assumed code; rule: docs update-dataflows.md"
)
OPTIONS = _rule("400", "options do not fit the flow spec", "assumed code; rule: openapi flow-service")
TRANSFORMATION = _rule("400", "transformations do not fit the flow spec", "assumed code; rule: openapi flow-service")
SPEC_FIXED = _rule("1414-400", "The connection spec of a connection cannot be changed")
PATH = _rule("1434-400", "This path cannot be patched so", f"assumed for undocumented paths; code: {_ERRORS}")
BASE_USED = _rule("1418-400", "The base connection is used in flows")
USED = _rule("1447-400", "Flows contain this id", f"{_ERRORS} (that it guards source and target connections: assumed)")

note(_F, "Names are not unique; empty names are refused (the latter assumed).", "docs, by silence")
note(_F, "A source connection that no flow uses does not block the deletion of its base connection.")
note(_F, "A dataset or schema that is unknown is a 4xx; the real service may answer 500 (FLOW-2200, FLOW-2250).")
note(
    _F, "scheduleParams and mappingVersion are read as strings; `backfill` is filled in as true unless `once`.", "docs"
)
note(_F, "A start time in the past is accepted at creation.")
note(_F, "An enabled flow may be deleted; its connections and runs stay.", "docs delete-dataflows.md")


class SpecRef(Body):
    id: str
    version: str


class Auth(Body):
    spec_name: str
    params: Json
    type: str | None = None


class Named(Body):
    name: str | None = Field(None, min_length=1)
    description: str | None = None


class Connection(Named):
    connection_spec: SpecRef
    auth: Auth | None = None
    provider_id: str | None = None


class SourceData(Body):
    format: Literal["json", "delimited", "parquet", "tabular"]
    schema_: Any = Field(None, alias="schema")
    properties: Json | None = None


class SourceConnection(Named):
    name: str = Field(min_length=1)
    base_connection_id: str | None = None
    connection_spec: SpecRef
    data: SourceData
    params: Json = Field(default_factory=dict)


class TargetSchema(Body):
    id: str
    version: str


class TargetData(Body):
    format: Literal["parquet_xdm", "json", "delimited", "parquet", "tabular"]
    schema_: TargetSchema | None = Field(None, alias="schema")
    properties: Json | None = None


class TargetParams(Body):
    data_set_id: str = Field(pattern="^[0-9a-f]{24}$")


class TargetConnection(Named):
    connection_spec: SpecRef
    data: TargetData
    params: TargetParams


class Transformation(Body):
    name: str
    params: Json


class Flow(Named):
    flow_spec: SpecRef
    source_connection_ids: list[str] = Field(min_length=1, max_length=1)
    target_connection_ids: list[str] = Field(min_length=1, max_length=1)
    transformations: list[Transformation] = Field(default_factory=list)
    schedule_params: dict[str, StrictBool | StrictInt | str] | None = None
    options: Json | None = None
    labels: list[str] | None = None
    policy: Json | None = None


def _spec(specs: dict[str, Json], ref: Json, what: str) -> Json:
    spec = specs.get(ref["id"])
    if spec is None or spec["version"] != ref["version"]:
        raise SPEC(f"{what} {ref['id'][:64]!r} version {ref['version'][:16]!r} is unknown")
    return spec


def fetch(space: Space, kind: str, id_: str, missing: Rule = ENTITY) -> Json:
    item = space.get(kind, id_)
    if item is None:
        raise missing(f"{kind} not found with id = [{id_[:64]}]", id=id_[:64], type=kind)
    return item


def check_connection(call: Call, item: Json, touched: set[str]) -> None:
    spec = _spec(catalogue.CONNECTION_SPECS, item["connectionSpec"], "connectionSpec")
    auth = item.get("auth")
    names = [known["name"] for known in spec["authSpec"]]
    if auth is None and names:
        raise AUTH_NAME(f"auth is missing; auth spec names of {spec['name']}: {', '.join(names)}")
    if auth is not None:
        known = catalogue.auth_spec(spec["id"], auth["specName"])
        if known is None:
            raise AUTH_NAME(f"auth spec names of {spec['name']}: {', '.join(names) or 'none'}")
        if problem := catalogue.violation(known["spec"], auth["params"], "auth.params"):
            raise AUTH_PARAMS(problem)


def check_source(call: Call, item: Json, touched: set[str]) -> None:
    spec = _spec(catalogue.CONNECTION_SPECS, item["connectionSpec"], "connectionSpec")
    if not spec["attributes"]["isSource"]:
        raise SPEC_PAIR(f"{spec['name']} is no source")
    if "baseConnectionId" in touched and item.get("baseConnectionId") is not None:
        base = fetch(call.space, BASE, item["baseConnectionId"])
        if base["connectionSpec"] != item["connectionSpec"]:
            raise SPEC_PAIR("connectionSpec differs from that of the base connection")
    elif "baseConnectionId" not in item and spec["authSpec"]:
        raise BODY(f"baseConnectionId is missing: {spec['name']} needs a base connection")
    formats = catalogue.FORMATS[spec["id"]]
    if formats and item["data"]["format"] not in formats:
        raise FORMAT(f"data.format of {spec['name']}: {', '.join(formats)}")
    if problem := catalogue.violation(spec["sourceSpec"]["spec"], item.get("params", {}), "params"):
        raise PARAMS(problem)


def check_target(call: Call, item: Json, touched: set[str]) -> None:
    spec = _spec(catalogue.CONNECTION_SPECS, item["connectionSpec"], "connectionSpec")
    if spec["attributes"]["isSource"]:
        raise SPEC_PAIR(f"{spec['name']} is a source; the data lake is {catalogue.DATA_LAKE}")
    if touched & {"params", "data"}:
        dataset = fetch(call.space, "dataSets", item["params"]["dataSetId"])
        schema = item["data"].get("schema")
        if schema and schema["id"] != dataset["schemaRef"]["id"]:
            raise SCHEMA_DIFFERS(f"data.schema.id {schema['id'][:120]!r} is not the schema of the dataset")


def check_flow(call: Call, item: Json, touched: set[str]) -> None:
    spec = _spec(catalogue.FLOW_SPECS, item["flowSpec"], "flowSpec")
    target = fetch(call.space, TARGET, item["targetConnectionIds"][0])
    if "flowSpec" in touched:
        source = fetch(call.space, SOURCE, item["sourceConnectionIds"][0])
        for end, accepted in ((source, "sourceConnectionSpecIds"), (target, "targetConnectionSpecIds")):
            if end["connectionSpec"]["id"] not in spec[accepted]:
                raise SPEC_PAIR(
                    f"flow spec {spec['name']} does not accept connection spec {end['connectionSpec']['id']}"
                )
    if "transformations" in touched:
        _check_transformations(call, item, spec, target)
    if "scheduleParams" in touched or "flowSpec" in touched:
        _check_schedule(item, spec)
    if item.get("options") is not None and (
        problem := catalogue.violation(spec["optionSpec"]["spec"], item["options"], "options")
    ):
        raise OPTIONS(problem)


def _check_transformations(call: Call, item: Json, spec: Json, target: Json) -> None:
    known = {t["name"]: t["spec"] for t in spec["transformationSpecs"]}
    for index, transformation in enumerate(item["transformations"]):
        place, params = f"transformations[{index}]", transformation["params"]
        if transformation["name"] not in known:
            raise TRANSFORMATION(f"{place}.name must be one of {', '.join(known) or 'none'}")
        if problem := catalogue.violation(known[transformation["name"]], params, f"{place}.params"):
            raise TRANSFORMATION(problem)
        if transformation["name"] == "Mapping":
            params["mappingVersion"] = str(params.get("mappingVersion", "0"))
            _check_mapping(call.space, params, target)


def _check_mapping(space: Space, params: Json, target: Json) -> None:
    stored = space.get("mappingSets", params["mappingId"])
    if stored is None:
        raise MAPPING(f"mapping set {params['mappingId'][:64]!r} not found")
    version = params["mappingVersion"]
    if not re.fullmatch(r"\d{1,6}", version) or int(version) >= len(stored["versions"]):
        raise MAPPING_VERSION(f"mapping set {params['mappingId']} has versions 0 to {len(stored['versions']) - 1}")
    schema = stored["versions"][int(version)]["schema"]
    dataset = space.get("dataSets", target["params"]["dataSetId"])
    if dataset is None or dataset["schemaRef"]["id"] != schema:
        raise SCHEMA_DIFFERS(f"the mapping set is made for {schema}")


def _check_schedule(item: Json, spec: Json) -> None:
    given = item.get("scheduleParams")
    if "scheduleSpec" not in spec:
        if given:
            raise SCHEDULE("scheduleParams: a streaming flow has no schedule")
        return
    if given is None:
        raise SCHEDULE("scheduleParams is missing")  # always there in the docs of batch sources
    typed = {name: _typed(name, value) for name, value in given.items()}
    if unknown := set(typed) - set(spec["scheduleSpec"]["spec"]["properties"]):
        raise SCHEDULE(f"scheduleParams: unknown {', '.join(sorted(unknown))[:80]}")
    if problem := catalogue.violation(spec["scheduleSpec"]["spec"], typed, "scheduleParams"):
        raise SCHEDULE(problem)
    if typed["frequency"] != "once":
        typed.setdefault("backfill", True)
    item["scheduleParams"] = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in typed.items()}


def _typed(name: str, value: Any) -> Any:
    """The tutorial sends startTime as a string, reads give all as strings: digits and booleans may come so."""
    if isinstance(value, str) and name in ("startTime", "interval") and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if name == "backfill" and isinstance(value, str) else value


def check_flow_patch(call: Call, before: Json, operations: list[patch.Operation]) -> None:
    """A start time can be moved until it has come (docs); that it cannot be moved into the past is assumed."""
    for operation in operations:
        if operation.path == "/scheduleParams/startTime":
            now = call.store.now_ms() // 1000
            starts = (_typed("startTime", before["scheduleParams"]["startTime"]), _typed("startTime", operation.value))
            if any(not isinstance(start, int) or start <= now for start in starts):
                raise START_PAST()


def refuse_used_base(space: Space, id_: str) -> None:
    sources = {source["id"] for source in space.all(SOURCE) if source.get("baseConnectionId") == id_}
    flows = [flow["id"] for flow in space.all(FLOW) if sources & set(flow["sourceConnectionIds"])]
    if flows:
        raise BASE_USED(f"used by flows {', '.join(flows[:5])}", id=id_, type=BASE)


def refuse_used_end(space: Space, id_: str) -> None:
    flows = [f["id"] for f in space.all(FLOW) if id_ in f["sourceConnectionIds"] + f["targetConnectionIds"]]
    if flows:
        raise USED(f"used by flows {', '.join(flows[:5])}", id=id_)


def never_used(space: Space, id_: str) -> None:
    """Nothing holds on to a flow."""


def new_etag(first: bool) -> str:
    """With its quotes inside, as in JSON. A UUID at creation, the database's form later, as the tutorial's samples."""
    made = str(uuid.uuid4())
    return f'"{made}"' if first else f'"{made[:8]}-0000-0200-0000-{made[-8:]}0000"'
