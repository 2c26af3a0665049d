"""check() refuses malformed inputs with the argument's path and what would be right, and never shows a secret."""

from collections.abc import Iterator
from typing import Any

import pytest

from kinds import DESCRIPTIONS, ORDER, by_kind
from kinds.description import MISSING, Bad
from pulumi_aep.engine.sdk_internals import SECRET_MARK
from support.kinds import provider
from unit.conftest import arguments


def cases() -> Iterator[Any]:
    for kind in ORDER:
        for bad in DESCRIPTIONS[kind].bad:
            yield pytest.param(kind, bad, id=f"{kind} {bad.message[:50]}")


@pytest.mark.parametrize(("kind", "bad"), list(cases()))
def test_is_refused(kind: str, bad: Bad, offline: Any) -> None:
    given = arguments(kind)
    given[bad.argument] = bad.value
    if bad.value is MISSING:
        del given[bad.argument]
    result = provider(kind).check({}, {**given, "__provider": "x"})
    reasons = [failure.reason for failure in result.failures]
    assert any(bad.message in reason and bad.remedy in reason for reason in reasons), reasons
    assert all(reason.startswith(bad.argument) for reason in reasons), "each begins with its path"
    assert all(failure.property == "" for failure in result.failures)
    assert "canary" not in str(reasons)


@by_kind
@pytest.mark.parametrize("value", ["../flows", ["x"], "a b", "", ".", "a/b", "https://ns.adobe.com/a/../b", "é"])
def test_an_odd_id_to_adopt_is_refused(kind: str, value: Any, offline: Any) -> None:
    reasons = [failure.reason for failure in provider(kind).check({}, arguments(kind, adopt=value)).failures]
    assert len(reasons) == 1, reasons
    assert reasons[0].startswith("adopt: must be ")


@pytest.mark.parametrize(("kind", "params"), [("SourceConnection", "params")])
def test_secrets_in_parameters_are_marked(kind: str, params: str, offline: Any) -> None:
    """By their names, at any depth, as in `auth`."""
    given = {"projectId": "1", "timezone": "UTC", "sasUri": "s", "inner": {"accessKey": "s", "path": "p"}}
    found = provider(kind).check({}, arguments(kind, params=given)).inputs["params"]
    secret = {**SECRET_MARK, "value": "s"}
    assert (found["sasUri"], found["inner"]) == (secret, {"accessKey": secret, "path": "p"})


@by_kind
def test_valid_inputs_pass(kind: str, offline: Any) -> None:
    assert provider(kind).check({}, arguments(kind)).failures == []
    typical = {name: arguments(kind)[name] for name in DESCRIPTIONS[kind].arguments}
    assert provider(kind).check({}, typical).failures == [], "the other arguments are optional"


@pytest.mark.parametrize(("key", "said"), [("nosuch", "nosuch"), (".", "."), ("..x", "..x"), ("", "['']")])
@by_kind
def test_an_unknown_key_is_refused(kind: str, key: str, said: str, offline: Any) -> None:
    (failure,) = provider(kind).check({}, {**arguments(kind), key: "x"}).failures
    assert failure.reason.startswith(f"{said}: is not a known key; known keys are ")


def test_all_problems_are_reported_at_once(offline: Any) -> None:
    given = arguments("Flow", name="", source_connection_id="x", schedule={"frequency": "once", "interval": 1})
    reasons = " ".join(failure.reason for failure in provider("Flow").check({}, given).failures)
    assert "name:" in reasons
    assert "source_connection_id:" in reasons
    assert "schedule: interval" in reasons
