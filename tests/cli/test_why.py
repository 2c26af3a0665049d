"""`why`: the latest run explained."""

import json

from support.emulator import Emulator

from .conftest import Cli
from .stacks import Stacks, stacks
from .test_report import Shop, shop
from .world import World

__all__ = ["shop", "stacks"]


def test_records_that_failed(cli_run: Cli, shop: Shop) -> None:
    result = cli_run("why", "lossy")
    first, *lines = result.out.splitlines()
    assert first.startswith("lossy: lost records, 20")
    assert [line.strip().split(" ")[0] for line in lines] == ["timestamp:", "Mapping", "Check"]
    assert result.code == 1


def test_refused_credentials_and_the_key_of_their_secret(cli_run: Cli, shop: Shop, stacks: Stacks) -> None:
    stacks.write("dev", "local", {"Flow old-shop": shop.ids["refused"]})
    secrets = {
        "dataflows:old-shop-password": "a",
        "dataflows:other-password": "b",
        "aep:clientSecret": "emulator-secret",
    }
    stacks.add_secrets("dev", secrets)
    result = cli_run("why", "refused")
    assert (
        "  the source could not be read: old account refuses the credentials, or it is down (CONNECTOR-2001-500: "
        in result.out
    )
    assert (
        "    If the credentials are old: pulumi config set --secret dataflows:old-shop-password, then pulumi up\n"
        in result.out
    )


def test_a_good_run_and_an_earlier_one(cli_run: Cli, emulator: Emulator) -> None:
    world = World(emulator)
    world.history()
    assert cli_run("why", "web-shop").code == 1
    world.run()
    result = cli_run("why", "web-shop")
    good, earlier = result.out.splitlines()
    assert (result.code, good.endswith("went well: 10 records arrived")) == (0, True)
    *_, flow, _, run_id = earlier.split()
    before = cli_run("why", flow, "--run", run_id)
    assert before.out.startswith("web-shop: failed, ")
    assert cli_run("why", "web-shop", "--run", "0" * 8).code == 3


def test_before_the_first_run(cli_run: Cli, shop: Shop) -> None:
    result = cli_run("why", "later")
    assert (result.code, result.out) == (0, "later: it has not run yet (every hour)\n")


def test_as_json(cli_run: Cli, shop: Shop) -> None:
    found = json.loads(cli_run("why", "lossy", "--json").out)
    (cause,) = found["run"]["causes"]
    assert (found["flow"], cause["text"], cause["records"]) == ("lossy", "timestamp: required, but empty", 2)
    assert json.loads(cli_run("why", "later", "--json").out) == {"flow": "later", "run": None}
