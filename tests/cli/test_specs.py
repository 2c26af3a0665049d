"""`specs`: search, parameters of a source, and example programs that run."""

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import pulumi_aep
from pulumi_aep import ConnectionSpec
from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.emulator.flow_service import specs as catalog_of_specs
from pulumi_aep.engine import runtime
from support import kinds
from support.emulator import FLOW, Emulator
from support.host import as_the_host_gives

from .conftest import MASKED, Cli
from .world import World

SPECS = catalog_of_specs.CONNECTION_SPECS
CRM = {source["label"] for source in catalog_of_specs.SOURCES if source["category"] == "CRM"}


def test_the_list_of_specs(cli_run: Cli, emulator: Emulator) -> None:
    emulator.settings(page_size=2)
    found = json.loads(cli_run("specs", "--json").out)
    assert {each["id"] for each in found["connection_specs"]} == set(SPECS)
    assert {each["id"] for each in found["flow_specs"]} == set(catalog_of_specs.FLOW_SPECS)
    rows = {row[0]: row[1:] for row in cli_run("specs").lines}
    assert rows["Mixpanel"] == ["Analytics", "Basic Authentication", "RestStorageToAEP", ConnectionSpec.MIXPANEL]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("CRM", {*CRM, "CRMToAEP"}),
        ("google p", {"Google PubSub"}),
        ("salesforce", {"Salesforce"}),
        (ConnectionSpec.SFTP.upper().lower(), {"SFTP"}),
        ("cloudstoragetoaep", {"CloudStorageToAEP"}),
    ],
)
def test_search(cli_run: Cli, emulator: Emulator, wanted: str, expected: set[str]) -> None:
    result = cli_run("specs", wanted, "--json")
    found = json.loads(result.out)
    several = (
        [*found.get("connection_specs", []), *found.get("flow_specs", [])] if "connection_specs" in found else [found]
    )
    assert {each["name"] for each in several} == expected


def test_an_unknown_spec(cli_run: Cli, emulator: Emulator) -> None:
    result = cli_run("specs", "Mixpanl")
    assert result.code == 3
    assert result.err == "error: No connection spec or flow spec matches 'Mixpanl'. Did you mean Mixpanel?\n"


def test_the_parameters_of_a_source(cli_run: Cli, emulator: Emulator) -> None:
    result = cli_run("specs", "mixpanel")
    assert ["password", "string", "yes", "yes"] in result.lines
    assert ["host", "string"] in result.lines
    assert "flow spec  RestStorageToAEP 6499120c" in result.out
    assert "(aep.FlowSpec.REST_STORAGE_TO_AEP)" in result.out
    found = json.loads(cli_run("specs", ConnectionSpec.MIXPANEL, "--json").out)
    (way,) = found["auth"]
    assert {each["name"]: (each["required"], each["secret"]) for each in way["parameters"]} == {
        "username": (True, False),
        "password": (True, True),
        "host": (False, False),
    }
    assert [each["name"] for each in found["source_parameters"] if each["required"]] == ["projectId", "timezone"]


def test_a_flow_spec(cli_run: Cli, emulator: Emulator) -> None:
    out = cli_run("specs", "RestStorageToAEP").out
    assert {"Mixpanel", "Zendesk", "Mailchimp Members", "Stripe"} <= {
        *re.search(r"sources +(.*?)\n", out, re.DOTALL)[1].split(", ")  # type: ignore[index]
    }
    assert re.search(r"transformations +Mapping\n", out)


@pytest.fixture
def provider(emulator: Emulator) -> Iterator[None]:
    """The providers of this process use the emulator."""
    settings = Settings("EMULATOR@AdobeOrg", "emulator", "emulator-secret", "local", emulator.url, emulator.url)
    runtime.use(runtime.Runtime(settings, Client(settings)))
    yield
    runtime.use(None)


class Program:
    """Runs a printed program: checks and creates each resource as the engine does."""

    def __init__(self, values: dict[str, str]) -> None:
        self.asked: dict[str, str] = {}
        self.values = values
        config = SimpleNamespace(require=self._require, require_secret=self._require_secret)
        self.pulumi = SimpleNamespace(Config=lambda: config)
        kinds = {name: self._maker(name) for name in ("BaseConnection", "SourceConnection", "TargetConnection")}
        self.aep = SimpleNamespace(ConnectionSpec=ConnectionSpec, **kinds)

    def run(self, text: str) -> None:
        body = text.replace("import pulumi_aep as aep\n", "").replace("import pulumi\n", "")
        exec(body, {"pulumi": self.pulumi, "aep": self.aep})

    def _require(self, key: str) -> str:
        self.asked[key] = self.values[key]
        return self.asked[key]

    def _require_secret(self, key: str) -> str:
        self.asked[key] = MASKED
        return MASKED

    def _maker(self, kind: str) -> Any:
        assert hasattr(pulumi_aep, kind)

        def make(name: str, **arguments: Any) -> SimpleNamespace:
            checked = kinds.provider(kind).check({}, {"name": name, **arguments})
            assert [each.reason for each in checked.failures or []] == []
            created = kinds.provider(kind).create(as_the_host_gives(checked.inputs))
            return SimpleNamespace(id=created.id)

        return make


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: str(spec["name"]))
def test_the_example_program_runs(cli_run: Cli, emulator: Emulator, provider: None, spec: dict[str, Any]) -> None:
    values = {}
    if not spec["attributes"]["isSource"]:
        world = World(emulator)
        values = {"data-lake-datasetId": world.dataset, "data-lake-schemaId": world.schema}
    text = json.loads(cli_run("specs", spec["id"], "--json").out)["program"]
    program = Program(values)
    program.run(text.replace("<timezone>", "Europe/Berlin").replace("<projectId>", "2671127"))
    assert {
        line.split()[5] if "--secret" in line else line.split()[4] for line in text.splitlines() if line[0:1] == "#"
    } == {*program.asked}
    kind = "SourceConnection" if spec["attributes"]["isSource"] else "TargetConnection"
    made = [each for each in emulator.objects()[kind] if each["connectionSpec"]["id"] == spec["id"]]
    assert made
    if spec["authSpec"]:
        (base,) = (item for item in emulator.request("GET", f"{FLOW}/connections").json()["items"])
        assert base["auth"]["specName"] == spec["authSpec"][0]["name"]
