"""The stack's YAML: another dataflow takes a few lines, and errors name the key and the remedy."""

import runpy
from pathlib import Path
from typing import Any

from acceptance.support import Stack
from pulumi_aep.components.source import SourceArgs
from pulumi_aep.engine.arguments import fields_of
from support.emulator import Emulator

SHOP = {"username": "shop", "projectId": "1", "timezone": "UTC", "schedule": {"frequency": "hour", "interval": 1}}


def test_a_second_dataflow_is_a_few_lines(repository: Stack, emulator: Emulator) -> None:
    dataflows = repository.config({})["dataflows:mixpanel"]
    repository.config({"dataflows:mixpanel": {**dataflows, "app": SHOP}})
    text = repository.fail("preview")
    assert "pulumi config set --secret dataflows:app-password" in text

    repository.secret("dataflows:app-password", "pa55")
    changes = repository.preview().changes
    of_app, of_web_shop = ({name.split()[0] for name in changes if name.endswith(end)} for end in (" app", " web-shop"))
    assert of_app == of_web_shop > {"MixpanelSource", "BaseConnection", "Flow"}
    assert set(changes.values()) == {"create"}


def test_every_problem_of_the_config_is_told_at_once(repository: Stack, emulator: Emulator) -> None:
    wrong: dict[str, Any] = {
        **SHOP,
        "projectId": 2384945,
        "projectNumber": "1",
        "username": "<service account>",
        "mappings": [{"source": "a"}],
        "schedule": {"interval": "often"},
    }
    del wrong["timezone"]
    odd = {**SHOP, "projectId": "shop", "timezone": "Mars/Base", "schedule": {"frequency": "minute", "interval": 5}}
    minutes = {**SHOP, "schedule": {"frequency": "minutes", "interval": 15}}
    sources = {"orders": {**S3, "path": "/orders"}, "bills": {**S3, "params": {"path": "<path>", "type": "folder"}}}
    repository.config(
        {
            "dataflows:mixpanel": {"shop": wrong, "app": odd, "till": minutes},
            "dataflows:sources": {**sources, "none": None, "odd": {**S3, "labels": "core/C1"}},
            "dataflows:source": sources,
            "aep:timout": 5,
        }
    )
    text = repository.fail("preview")
    for problem in (
        "the config of this stack is wrong:",
        "- aep:timout is not a setting; did you mean aep:timeout?",
        "- dataflows:mixpanel.shop.projectId: must be text: put the value in quotes",
        "- dataflows:mixpanel.shop.projectNumber: is not a known key",
        "- dataflows:mixpanel.shop.username: still holds the placeholder <service account>",
        "- dataflows:mixpanel.shop.timezone: is required",
        "- dataflows:mixpanel.shop.mappings.0.destination: is required",
        "- dataflows:mixpanel.shop.schedule.frequency: is required",
        "- dataflows:mixpanel.shop.schedule.interval: must be a valid integer",
        "- dataflows:mixpanel.app.projectId: must be the project's number as text",
        "- dataflows:mixpanel.app.timezone: must be a Windows time zone name",
        "- dataflows:mixpanel.app.schedule: interval must be at least 15 when frequency is 'minute'; got 5",
        "- dataflows:mixpanel.till.schedule: frequency: must be 'once', 'minute', 'hour', 'day' or 'week'",
        "- dataflows:sources.orders.path: is not a known key",
        "- dataflows:source is not a section; did you mean dataflows:sources?",
        "- dataflows:sources.none: must hold keys and values",
        "- dataflows:sources.odd.labels: must be a list",
        "- dataflows:sources.bills.params: path: still holds the placeholder <path>",
    ):
        assert problem in text, text

    repository.config({"dataflows:mixpanel": ["shop"], "dataflows:source": None, "aep:timout": None})
    assert "dataflows:mixpanel" in repository.fail("preview")

    repository.config({"dataflows:mixpanel": None, "dataflows:sources": None})
    assert repository.preview().changes == {"Stack pulumi-aep-local": "create"}
    assert emulator.journal() == []


S3 = {
    "connectionSpec": "Amazon S3",
    "auth": {"specName": "Access Key", "params": {"s3AccessKey": "AKIA"}, "secrets": ["s3SecretKey"]},
    "data": {"format": "delimited"},
    "params": {"path": "/orders", "type": "folder"},
    "fields": {"order": {"type": "string"}},
    "mappings": [{"source": "id", "destination": "_{tenantId}.order"}],
    "schedule": {"frequency": "hour", "interval": 1},
}


def test_its_keys_are_the_arguments_of_source() -> None:
    stacks = runpy.run_path(str(Path(__file__).parents[2] / "stacks/dataflows.py"))
    assert {*stacks["SourceDataflow"].model_fields, "parts"} == {*fields_of(SourceArgs)}


def test_any_source_is_a_few_lines(repository: Stack, emulator: Emulator) -> None:
    repository.config({"dataflows:mixpanel": None, "dataflows:sources": {"orders": S3}})
    assert "pulumi config set --secret dataflows:orders-s3SecretKey" in repository.fail("preview")
    repository.secret("dataflows:orders-s3SecretKey", "canary-pa55")
    repository.up()
    (flow,) = emulator.objects()["Flow"]
    assert repository.outputs()["sources"]["orders"]["flowId"] == flow["id"]
    assert "canary-pa55" not in repository.export()
    assert repository.preview().changes == {}

    wrong = {**S3, "connectionSpec": 3, "auth": {"params": {}}, "path": "/orders"}
    repository.config({"dataflows:sources": {"orders": wrong}})
    text = repository.fail("preview")
    for problem in (
        "- dataflows:sources.orders.connectionSpec: must be text: put the value in quotes",
        "- dataflows:sources.orders.auth.specName: is required",
        "- dataflows:sources.orders.path: is not a known key",
    ):
        assert problem in text, text


def test_settings_that_are_missing_or_wrong(repository: Stack, emulator: Emulator) -> None:
    repository.config({"aep:sandbox": None, "aep:timeout": "soon", "aep:concurrency": "0", "aep:onlineChecks": "maybe"})
    text = repository.fail("preview")
    assert "aep:sandbox is not set: run pulumi config set aep:sandbox …, or export AEP_SANDBOX=…" in text
    assert "aep:timeout must be a whole number of seconds, at least 1; got soon" in text
    assert "aep:concurrency must be a whole number from 1 to 128; got 0" in text
    assert "aep:onlineChecks must be true or false; got maybe" in text

    repository.config(
        {
            "aep:endpoint": "http://platform.adobe.io",
            "aep:timeout": None,
            "aep:concurrency": None,
            "aep:onlineChecks": None,
        }
    )
    text = repository.fail("preview")
    assert "aep:endpoint must be an https:// address (http:// only for this machine) or the word emulator" in text
    assert "aep:clientSecret is not set: run pulumi config set --secret" in text
    assert emulator.journal() == []
