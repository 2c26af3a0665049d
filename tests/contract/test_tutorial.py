"""The Mixpanel tutorial replayed, call by call, against the emulator.

Each trap of the tutorial has a test that names it: what is printed there, and what is right.
"""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from contract import samples
from support.emulator import CATALOG, DATA_LAKE, DATA_PREP, FLOW, REGISTRY, Emulator
from support.mixpanel import dataset, field_group, schema
from support.refusal import refused


def same_shape(sample: Any, answer: Any, place: str = "body") -> None:
    """The answer has every key of the sample, with a value of the same JSON type (of each list, the first)."""
    assert type(answer) is type(sample), f"{place}: {answer!r} instead of {sample!r}"
    if isinstance(sample, dict):
        for key, value in sample.items():
            assert key in answer, f"{place}.{key} is missing"
            same_shape(value, answer[key], f"{place}.{key}")
    elif isinstance(sample, list) and sample and answer:
        same_shape(sample[0], answer[0], f"{place}[0]")


@dataclass
class Tutorial:
    """The tutorial's steps, each with its contradictions corrected."""

    emulator: Emulator

    def post(self, path: str, body: Any) -> requests.Response:
        return self.emulator.request("POST", path, body)

    def base(self) -> str:
        return str(self.post(f"{FLOW}/connections", samples.BASE_CONNECTION).json()["id"])

    def source(self) -> str:
        body = samples.SOURCE_CONNECTION | {"baseConnectionId": self.base()}
        return str(self.post(f"{FLOW}/sourceConnections", body).json()["id"])

    def schema(self) -> str:
        group = self.post(f"{REGISTRY}/tenant/fieldgroups", field_group(fields=samples.COLUMNS)).json()["$id"]
        return str(self.post(f"{REGISTRY}/tenant/schemas", schema(group)).json()["$id"])

    def dataset(self, schema_id: str) -> str:
        return str(self.post(f"{CATALOG}/dataSets", dataset(schema_id)).json()[0].rsplit("/", 1)[1])

    def target_body(self, schema_id: str) -> dict[str, Any]:
        params = {"dataSetId": self.dataset(schema_id)}
        return samples.TARGET_CONNECTION_PRINTED | {"connectionSpec": DATA_LAKE, "params": params}

    def mapping_body(self, schema_id: str) -> dict[str, Any]:
        text = json.dumps(samples.MAPPING_SET | {"xdmSchema": schema_id})
        return dict(json.loads(text.replace("_extconndev", "_emulator")))

    def flow_body(self) -> dict[str, Any]:
        schema_id = self.schema()
        target = self.post(f"{FLOW}/targetConnections", self.target_body(schema_id)).json()["id"]
        mapping = self.post(f"{DATA_PREP}/mappingSets", self.mapping_body(schema_id)).json()["id"]
        params = {"mappingId": mapping, "mappingVersion": "0"}
        ends = {"sourceConnectionIds": [self.source()], "targetConnectionIds": [target]}
        return samples.FLOW_BODY | ends | {"transformations": [{"name": "Mapping", "params": params}]}

    def flow(self, **change: Any) -> str:
        return str(self.post(f"{FLOW}/flows", self.flow_body() | change).json()["id"])


@pytest.fixture
def tutorial(emulator: Emulator) -> Tutorial:
    return Tutorial(emulator)


# -- the steps, in the tutorial's order -------------------------------------------------------------------------------


def test_create_a_base_connection(tutorial: Tutorial) -> None:
    response = tutorial.post(f"{FLOW}/connections", samples.BASE_CONNECTION)
    assert response.status_code == 201
    same_shape(samples.CREATED, response.json())
    assert sorted(response.json()) == sorted(samples.CREATED)


def test_explore_the_source(tutorial: Tutorial) -> None:
    path = f"{FLOW}/connections/{tutorial.base()}/explore"
    params = samples.EXPLORE | {"sourceParams": samples.SOURCE_PARAMS}
    explored = tutorial.emulator.request("GET", path, params=params).json()
    same_shape(samples.EXPLORED, explored)
    assert explored["schema"] == samples.EXPLORED["schema"]
    assert explored["data"][0] == samples.EXPLORED["data"][0]


def test_create_a_source_connection(tutorial: Tutorial) -> None:
    body = samples.SOURCE_CONNECTION | {"baseConnectionId": tutorial.base()}
    response = tutorial.post(f"{FLOW}/sourceConnections", body)
    assert response.status_code == 201
    same_shape(samples.CREATED, response.json())


def test_create_a_target_connection(tutorial: Tutorial) -> None:
    response = tutorial.post(f"{FLOW}/targetConnections", tutorial.target_body(tutorial.schema()))
    assert response.status_code == 201
    same_shape(samples.CREATED, response.json())


def test_create_a_mapping(tutorial: Tutorial) -> None:
    response = tutorial.post(f"{DATA_PREP}/mappingSets", tutorial.mapping_body(tutorial.schema()))
    assert response.status_code == 200  # not 201
    same_shape(samples.MAPPED, response.json())
    assert sorted(response.json()) == sorted(samples.MAPPED)
    assert response.json()["version"] == 0


def test_create_a_flow(tutorial: Tutorial) -> None:
    response = tutorial.post(f"{FLOW}/flows", tutorial.flow_body())
    assert response.status_code == 201
    same_shape(samples.CREATED, response.json())


def test_monitor_the_dataflow(tutorial: Tutorial) -> None:
    tutorial.emulator.settings(real_time_runs=True)
    flow_id = tutorial.flow(scheduleParams={"startTime": "1625040887", "frequency": "once"})
    path = f"{FLOW}/runs?property=flowId=={flow_id}"
    runs = tutorial.emulator.request("GET", path).json()
    same_shape(samples.RUNS, runs)
    for sample, activity in zip(samples.RUNS["items"][0]["activities"], runs["items"][0]["activities"], strict=True):
        same_shape(sample, activity)
        assert activity["id"] == sample["id"]


def test_update_the_dataflow(tutorial: Tutorial) -> None:
    path = f"{FLOW}/flows/{tutorial.flow()}"
    etag = tutorial.emulator.request("GET", path).json()["items"][0]["etag"]
    response = tutorial.emulator.request("PATCH", path, samples.FLOW_PATCH, headers={"If-Match": etag})
    assert response.status_code == 200
    same_shape(samples.CREATED, response.json())
    flow = tutorial.emulator.request("GET", path).json()["items"][0]
    assert (flow["name"], flow["scheduleParams"]["frequency"]) == ("New dataflow name", "day")
    assert flow["scheduleParams"]["interval"] == "15"  # the sample leaves it


def test_delete_the_dataflow_then_the_connection(tutorial: Tutorial) -> None:
    flow_id = tutorial.flow()
    base_id = tutorial.emulator.objects()["BaseConnection"][0]["id"]
    for path in (f"{FLOW}/flows/{flow_id}", f"{FLOW}/connections/{base_id}"):
        gone = tutorial.emulator.request("DELETE", path)
        assert (gone.status_code, gone.content) == (204, b"")
        assert tutorial.emulator.request("GET", path).status_code == 404


# -- the traps --------------------------------------------------------------------------------------------------------


def test_trap_target_spec_id(tutorial: Tutorial) -> None:
    """Curl and table print Mixpanel's spec for the target; only the data lake's is right, as the prose says."""
    schema_id = tutorial.schema()
    printed = samples.TARGET_CONNECTION_PRINTED | {"params": {"dataSetId": tutorial.dataset(schema_id)}}
    response = tutorial.post(f"{FLOW}/targetConnections", printed)
    refused(response, "flow_service.spec_pair", "the data lake is c604ff05-7f1a-43c0-8e18-33bf874cb11c")
    assert tutorial.post(f"{FLOW}/targetConnections", printed | {"connectionSpec": DATA_LAKE}).status_code == 201


def test_trap_source_params(tutorial: Tutorial) -> None:
    """The printed sourceParams are another source's; the text gives the right ones."""
    assert json.loads(base64.b64decode(samples.SOURCE_PARAMS_PRINTED)) == {"listId": "10c097ca71"}
    right = {"projectId": "2671127", "timezone": "Pacific Standard Time"}
    assert json.loads(base64.b64decode(samples.SOURCE_PARAMS)) == right
    path = f"{FLOW}/connections/{tutorial.base()}/explore"
    params = samples.EXPLORE | {"sourceParams": samples.SOURCE_PARAMS_PRINTED}
    response = tutorial.emulator.request("GET", path, params=params)
    refused(response, "flow_service.explore", "'listId' was unexpected", "'projectId' is a required property")


def test_trap_interval_rule(tutorial: Tutorial) -> None:
    """The prose wants 15 for everything but once; the flow spec wants it for minutes only."""
    body = tutorial.flow_body()
    hourly = {"startTime": "1625040887", "frequency": "hour", "interval": 1}
    assert tutorial.post(f"{FLOW}/flows", body | {"scheduleParams": hourly}).status_code == 201
    minutes = hourly | {"frequency": "minute", "interval": 14}
    refused(tutorial.post(f"{FLOW}/flows", body | {"scheduleParams": minutes}), "flow_service.schedule", "minimum 15")
    once = hourly | {"frequency": "once"}
    refused(tutorial.post(f"{FLOW}/flows", body | {"scheduleParams": once}), "flow_service.schedule", "must be absent")


def test_trap_data_schema(tutorial: Tutorial) -> None:
    """The sample leaves out data.schema, which other pages send. Both are accepted; a wrong one is not."""
    schema_id = tutorial.schema()
    body = tutorial.target_body(schema_id)
    reference = {"id": schema_id, "version": "application/vnd.adobe.xed-full+json;version=1"}
    assert tutorial.post(f"{FLOW}/targetConnections", body).status_code == 201
    with_schema = {"format": "json", "schema": reference}
    assert tutorial.post(f"{FLOW}/targetConnections", body | {"data": with_schema}).status_code == 201
    other = {"format": "json", "schema": reference | {"id": f"{schema_id}0"}}
    refused(tutorial.post(f"{FLOW}/targetConnections", body | {"data": other}), "flow_service.schema_differs")


def test_trap_mapping_columns(tutorial: Tutorial) -> None:
    """The sample uses source and destination, its table explains sourceAttribute and destinationXdmPath: both work.

    Its destinations carry the namespace of Adobe's own tenant, which no other schema has.
    """
    schema_id = tutorial.schema()
    printed = samples.MAPPING_SET | {"xdmSchema": schema_id}
    refused(tutorial.post(f"{DATA_PREP}/mappingSets", printed), "data_prep.destination", "_extconndev.distinct_id")
    body = tutorial.mapping_body(schema_id)
    by_table = [
        {"sourceAttribute": m["source"], "destinationXdmPath": m["destination"], "identity": False}
        for m in body["mappings"]
    ]
    found = []
    for mappings in (body["mappings"], by_table):
        key = tutorial.post(f"{DATA_PREP}/mappingSets", body | {"mappings": mappings}).json()["id"]
        read = tutorial.emulator.request("GET", f"{DATA_PREP}/mappingSets/{key}").json()["mappings"]
        found.append([(m["source"], m["destination"], m["sourceAttribute"], m["sourceType"]) for m in read])
    assert found[0] == found[1]
    assert found[0][0] == ("data.distinct_id", "_emulator.distinct_id", "data.distinct_id", "text/x.schema-path")


def test_trap_if_match_quoting(tutorial: Tutorial) -> None:
    """Quoted for the flow, bare for the connection: the value is the same, and a stale one is refused."""
    path = f"{FLOW}/connections/{tutorial.base()}"
    body = [{"op": "replace", "path": "/name", "value": "renamed"}]
    for quoted in (True, False):
        etag = tutorial.emulator.request("GET", path).json()["items"][0]["etag"]
        assert etag == f'"{etag.strip(chr(34))}"'
        given = etag if quoted else etag.strip('"')
        changed = tutorial.emulator.request("PATCH", path, body, headers={"If-Match": given})
        assert changed.status_code == 200
        same_shape(samples.CREATED, changed.json())
        again = tutorial.emulator.request("PATCH", path, body, headers={"If-Match": given})
        refused(again, "flow_service.match_stale")
    refused(tutorial.emulator.request("PATCH", path, body), "flow_service.match_missing")


def test_trap_missing_authorization(tutorial: Tutorial) -> None:
    """The printed POST /flows has no Authorization header: 403010, and a 403 at that."""
    response = tutorial.emulator.request("POST", f"{FLOW}/flows", tutorial.flow_body(), headers={"Authorization": None})
    refused(response, "gateway.token_missing")
    assert response.status_code == 403
    assert response.json() == {"error_code": "403010", "message": "Oauth token is missing."}


def test_trap_patch_without_content_type(tutorial: Tutorial) -> None:
    """The printed PATCH calls have none, so curl would say that they are forms."""
    path = f"{FLOW}/flows/{tutorial.flow()}"
    etag = tutorial.emulator.request("GET", path).json()["items"][0]["etag"]
    for content_type in (None, "application/x-www-form-urlencoded"):
        headers = {"If-Match": etag, "Content-Type": content_type}
        body = json.dumps(samples.FLOW_PATCH)
        response = tutorial.emulator.request("PATCH", path, data=body.encode(), headers=headers)
        refused(response, "gateway.content_type")


def test_trap_another_sources_credentials(tutorial: Tutorial) -> None:
    """The printed PATCH of a connection is Salesforce's: refused for Mixpanel, right for Salesforce."""
    path = f"{FLOW}/connections/{tutorial.base()}"
    etag = tutorial.emulator.request("GET", path).json()["items"][0]["etag"]
    response = tutorial.emulator.request("PATCH", path, samples.CONNECTION_PATCH, headers={"If-Match": etag})
    refused(response, "flow_service.auth_params", "'securityToken' was unexpected")
    body = {
        "name": "Salesforce",
        "connectionSpec": {"id": "cfc0fee1-7dc0-40ef-b73e-d8b134c436f5", "version": "1.0"},
        "auth": {
            "specName": "Basic Authentication",
            "params": {"username": "u", "password": "p", "securityToken": "t"},
        },
    }
    made = tutorial.post(f"{FLOW}/connections", body).json()
    path, headers = f"{FLOW}/connections/{made['id']}", {"If-Match": made["etag"].strip('"')}
    changed = tutorial.emulator.request("PATCH", path, samples.CONNECTION_PATCH, headers=headers)
    assert changed.status_code == 200
    found = tutorial.emulator.request("GET", path).json()["items"][0]
    assert found["description"] == "A test salesforce connection"
    assert found["auth"]["params"] == {
        "username": "salesforce-connector-username",
        "password": "xxxx",
        "securityToken": "xxxx",
    }


def test_trap_etag_forms(tutorial: Tutorial) -> None:
    """A UUID at creation, the database's form after a change; both opaque."""
    made = tutorial.post(f"{FLOW}/connections", samples.BASE_CONNECTION).json()
    body = [{"op": "replace", "path": "/name", "value": "renamed"}]
    path = f"{FLOW}/connections/{made['id']}"
    changed = tutorial.emulator.request("PATCH", path, body, headers={"If-Match": made["etag"]}).json()
    assert "-0000-0200-0000-" in changed["etag"]
    assert "-0000-0200-0000-" not in made["etag"]


def test_trap_start_time_as_a_string_of_the_past(tutorial: Tutorial) -> None:
    """The printed start time is a string and long past: accepted at creation, and read back as a string."""
    assert int(samples.FLOW_BODY["scheduleParams"]["startTime"]) < time.time()
    flow = tutorial.emulator.request("GET", f"{FLOW}/flows/{tutorial.flow()}").json()["items"][0]
    assert flow["scheduleParams"]["startTime"] == "1625040887"
