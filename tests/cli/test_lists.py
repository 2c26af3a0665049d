"""`flows`, `connections`, `datasets`, and tables on narrow terminals."""

import json

import pytest

from pulumi_aep.cli._output import print_table
from support import mixpanel
from support.emulator import FLOW, Emulator

from .conftest import Cli
from .test_report import Shop, shop

__all__ = ["shop"]


def test_flows_by_name_with_their_latest_run(cli_run: Cli, shop: Shop) -> None:
    head, *rows = cli_run("flows").lines
    assert head == ["NAME", "STATE", "SCHEDULE", "LAST RUN", "LAST RUN STARTED", "OWNER", "ID"]
    assert [row[0] for row in rows[1:]] == ["hourly", "later", "lossy", "refused", "web-shop"]
    assert rows[4][1:4] == ["enabled", "every hour", "failed"]
    assert rows[3][3] == "lost records", "not the service's success"
    assert rows[4][-1] == shop.ids["refused"]


def test_the_latest_runs_of_all_flows_are_read_as_one_list(cli_run: Cli, shop: Shop, emulator: Emulator) -> None:
    emulator.clear_journal()
    cli_run("flows")
    asked = [entry for entry in emulator.journal() if entry["path"].startswith(f"{FLOW}/runs")]
    assert {entry["path"] for entry in asked} == {f"{FLOW}/runs"}, "none by its id"
    assert sum("property=id==" in entry["query"] for entry in asked) == 1, "further pages apart"


def test_filters(cli_run: Cli, shop: Shop) -> None:
    base = {**mixpanel.base("Owned"), "description": "Sales\n[pulumi: shop/dev/web#4a.1f]"}
    shop.post(f"{FLOW}/connections", base)

    def names(*arguments: str) -> list[str]:
        return [each["name"] for each in json.loads(cli_run(*arguments, "--json").out)]

    assert names("flows", "LOSS") == ["lossy"]
    assert len(names("flows", "--state", "disabled")) == 1
    assert names("connections", "--owner", "dev") == names("connections", "--owner", "shop/dev") == ["Owned"]
    assert names("connections", "--owner", "none") == ["old account", "web-shop"]
    assert names("connections", "--owner", "other") == []
    assert names("datasets", "shop") == ["web-shop"]
    owned = cli_run("connections", "owned").lines[1]
    assert owned[:4] == ["Owned", "Mixpanel", "0", "shop/dev/web"]
    assert cli_run("flows", "xyz").out == "No flows match.\n"
    assert cli_run("flows", "--state", "enabeld").out == "No flows match.\n"


def test_as_json_a_time_is_iso_8601(cli_run: Cli, shop: Shop) -> None:
    (flow,) = json.loads(cli_run("flows", "lossy", "--json").out)
    assert set(flow) == {"name", "state", "schedule", "last_run", "last_run_started", "owner", "id"}
    assert flow["last_run_started"].endswith("+00:00")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (60, ["NAME                     STATE   ID", "a rather long flow name   good    1234567890"]),
        (31, ["NAME                      STATE", "a rather long flow name   good"]),
        (24, ["NAME               STATE", "a rather long f…   good"]),
    ],
)
def test_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int, lines: list[str]
) -> None:
    from rich.console import Console

    terminal = Console(width=width, force_terminal=True, no_color=True)
    monkeypatch.setattr("pulumi_aep.cli._output.console", lambda: terminal)
    print_table(("Name", "State", "Id"), [("a rather long flow name", "good", 1234567890)], drop=("Id",))
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown] == [line.split() for line in lines]
    assert max(map(len, shown)) <= width


def test_a_name_cannot_write_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name",), [("a\x1b[2Jb\nc",)])
    assert capsys.readouterr().out == "NAME\na [2Jb c\n"
