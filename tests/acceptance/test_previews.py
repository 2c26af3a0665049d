"""What a preview shows: what a program says, and nothing that the library says itself."""

import re
from collections.abc import Callable

from acceptance.support import Chain, both_doors
from kinds import ORDER
from support.kinds import DERIVED


def properties(shown: str) -> set[str]:
    """The names of all properties that a preview shows, in Python's spelling."""
    names = re.findall(r"^[ +~-]*(\w+) *: ", shown, re.MULTILINE)
    return {re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", name) for name in names}


@both_doors
def test_only_what_a_program_says(chain: Callable[..., Chain]) -> None:
    hourly = {"frequency": "hour", "interval": 1, "start_time": 4_000_000_000}
    zone = {"params": {"projectId": "1", "timezone": "Europe/Berlin"}}
    dev = chain({"SourceConnection": zone, "Flow": {"schedule": hourly}})
    shown = dev.run("preview", "--diff", "--stack", "dev")
    assert {"schedule", "base_connection_id", "mappings"} <= properties(shown)
    assert properties(shown) & DERIVED == set()
    assert "Europe/Berlin" in shown, "as it is written"
    dev.up()
    assert dev.preview().changes == {}
    dev.change({"Flow": {"schedule": {**hourly, "start_time": 4_000_000_060}}})
    dev.rename("-shop")
    shown = dev.run("preview", "--diff", "--stack", "dev")
    assert properties(shown) & DERIVED == set()
    assert re.search('"2096-10-02T07:06:40Z" => "2096-10-02T07:07:40Z"', shown)
    lines = re.findall(r"^ *(\w+) .*: only the owner line changes, shop/dev/web\.", shown, re.MULTILINE)
    assert len(lines) >= len(ORDER) - 3, "all but the flow, and the kinds without a line or a name"
