"""When a token source asks IMS for another token."""

import pytest

from pulumi_aep.client import ims
from pulumi_aep.client.ims import TokenSource
from unit.conftest import SETTINGS


class Ims:
    """Answers token requests, and is the clock."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime, self.asked, self.now = lifetime, 0, 1000.0

    def ask(self, form: dict[str, str]) -> dict[str, object]:
        self.asked += 1
        return {"access_token": f"token {self.asked}", "expires_in": self.lifetime}

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(params=[86_400, 60])
def answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ims:
    """Tokens of a day, and of a minute."""
    answers = Ims(request.param)
    monkeypatch.setattr(ims, "time", answers)
    return answers


def test_a_token_is_renewed_before_it_ends(answers: Ims) -> None:
    tokens = TokenSource(SETTINGS, answers.ask)
    assert tokens.get() == tokens.get() == "token 1"
    answers.now += answers.lifetime / 3
    assert tokens.get() == "token 1"
    answers.now = 1000 + answers.lifetime - 1
    assert tokens.get() == "token 2"


def test_threads_that_were_refused_together_share_the_new_token(answers: Ims) -> None:
    tokens = TokenSource(SETTINGS, answers.ask)
    refused = tokens.get()
    assert [tokens.renew(refused) for _ in range(3)] == ["token 2"] * 3
    assert answers.asked == 2
