"""Malformed inputs in a real program: refused at preview, with the resource, the argument's path and the remedy.

Each case of each kind is tested without the engine (`unit/test_bad_inputs.py`, `plugin/test_bad_inputs.py`).
"""

from collections.abc import Callable

import pytest

from acceptance.support import Stack, writes
from kinds.description import SECRET
from support.emulator import Emulator

pytestmark = pytest.mark.live

SIDE_BY_SIDE = """
texts = []
for option in (
    dict(delete_before_replace=False),
    dict(custom_timeouts=pulumi.CustomTimeouts(delete="5 minutes")),
):
    try:
        aep.Flow("bad", source_connection_id="x", target_connection_id="y", opts=pulumi.ResourceOptions(**option))
    except pulumi.RunError as error:
        texts.append(str(error))
pulumi.export("texts", texts)
"""


def test_the_preview_refuses(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """All problems of the resource at once, those that the service knows included; no traceback, no secret."""
    auth = {"spec_name": "Basic Authentication", "params": {"username": "shop", "pasword": SECRET}}
    dev = stack(f"aep.BaseConnection('bad', name='', connection_spec=aep.ConnectionSpec.MIXPANEL, auth={auth})")
    text = dev.fail("preview")
    assert "aep:Owner (aep-owner)" in text, "the gate: before any other step, also with --skip-preview"
    for problem in (
        "name: must not be empty",
        "auth.params.password: is required by 'Basic Authentication'",
        "auth.params.pasword: is not a parameter of 'Basic Authentication' (did you mean password?); it takes host, ",
    ):
        assert f"BaseConnection bad: {problem}" in text, text
    assert SECRET not in text
    assert writes(emulator) == []


def test_values_that_python_makes(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """A datetime and an int reach check() through the SDK, the engine and the host."""
    schedule = '{"frequency": "day", "interval": 1, "start_time": __import__("datetime").datetime(2026, 1, 31)}'
    dev = stack(f'aep.Flow("bad", source_connection_id="x", target_connection_id="y", schedule={schedule})')
    text = dev.fail("preview")
    assert "schedule.start_time: must say its time zone, like 2026-01-31T06:00:00Z" in text
    assert "source_connection_id: must be an id like" in text
    assert writes(emulator) == []


def test_options_that_are_refused(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dev = stack(SIDE_BY_SIDE)
    dev.up()
    side_by_side, in_words = dev.outputs()["texts"]
    assert side_by_side.startswith("bad: delete_before_replace=False is not possible for Flow")
    assert side_by_side.endswith("Leave the option out.")
    assert in_words == "bad: custom_timeouts.delete must be like '90s', '5m' or '1h30m'; got '5 minutes'"
    assert writes(emulator) == []
