"""A lost answer, a time-out or a 5xx after the work was done: the same outcome in one `up`, and nothing twice."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kinds import DESCRIPTIONS, Ids, Props, by_kind
from plugin.conftest import Program
from plugin.life import Life
from pulumi_aep.client import http
from pulumi_aep.engine import runtime
from pulumi_aep.errors import AepError, ApiError, ResponseLost
from support import kinds
from support.emulator import Emulator
from support.journal import writes
from support.outside import OTHER_STATE, Where

AFTER = [{"drop": "after"}, {"drop": "after", "status": 503}, {"drop": "after", "status": 401}]
"""The service did the work; its answer does not arrive."""

BEFORE = [{"drop": "before"}, {"status": 500}, {"status": 401}]
"""The service did nothing."""


def fault(emulator: Emulator, method: str, path: str, **what: Any) -> None:
    emulator.control("POST", "faults", {"method": method, "path": path, "times": 1, **what}).raise_for_status()


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_a_create(kind: str, what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    before = len(emulator.objects()[kind])
    fault(emulator, "POST", f"/{DESCRIPTIONS[kind].collection}$", **what)
    resource = life(kind)
    assert resource.up(program(kind)) == "create"
    assert len(emulator.objects()[kind]) == before + 1
    assert resource.preview(program(kind)) == "same"
    assert resource.refresh()
    assert resource.preview(program(kind)) == "same"


def assert_nothing_twice(value: Any) -> None:
    """No list within the object holds an item twice."""
    if isinstance(value, dict):
        for item in value.values():
            assert_nothing_twice(item)
    elif isinstance(value, list):
        items = [json.dumps(item, sort_keys=True) for item in value]
        assert sorted(items) == sorted(set(items))


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_an_update(
    kind: str, what: Any, life: Callable[[str], Life], program: Program, ids: Ids, emulator: Emulator
) -> None:
    """Every request of every round loses its answer."""
    for a_round in DESCRIPTIONS[kind].in_place:
        resource, changed = life(kind), program(kind, a_round.change)
        resource.up(program(kind))
        if a_round.before:
            a_round.before(Where(emulator, resource.id, ids))
        for write in a_round.writes:
            method, path = write.split(" ", 1)
            fault(emulator, method, "/action$" if path.endswith("/action") else f"/{path}/[^/]+$", **what)
        assert resource.up(changed) == "update"
        assert_nothing_twice(kinds.get(kind, resource.id, runtime.current()))
        assert resource.preview(changed) == "same"
        assert resource.refresh()
        assert resource.preview(changed) == "same" or not a_round.writes
        resource.destroy()


@pytest.mark.parametrize("what", [*AFTER, *BEFORE], ids=str)
@by_kind
def test_a_delete(kind: str, what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator) -> None:
    resource, before = life(kind), len(emulator.objects()[kind])
    resource.up(program(kind))
    fault(emulator, "DELETE", f"/{DESCRIPTIONS[kind].collection}/[^/]+$", **what)
    resource.destroy()
    assert len(emulator.objects()[kind]) == before + DESCRIPTIONS[kind].stays


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("PATCH", "/connections/[^/]+$"), {"status": 400}),
        (("GET", "/test$"), {"status": 200, "body": {"result": False}}),
    ],
    ids=["by the service", "by the source"],
)
def test_new_credentials_are_refused_then_corrected(
    where: tuple[str, str], what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The connection is then as it was, its name too."""

    def changed(password: str) -> Props:
        found = program("BaseConnection", {"test": "strict", "name": "renamed"})
        found["auth"]["params"] |= {"username": "another", "password": password}
        return found

    resource, before = life("BaseConnection"), program("BaseConnection", {"test": "strict"})
    resource.up(before)
    fault(emulator, *where, **what)
    with pytest.raises(AepError):
        resource.up(changed("canary-wrong"))
    assert resource.refresh()
    assert resource.preview(before) == "same"
    assert resource.up(changed("canary-second")) == "update"
    emulator.settings(mask_secrets=False)
    stored = kinds.get("BaseConnection", resource.id, runtime.current())
    assert (stored["name"], stored["auth"]["params"]["password"]) == ("renamed", "canary-second")
    assert resource.refresh()
    assert resource.preview(changed("canary-second")) == "same"


@pytest.mark.parametrize("what", AFTER, ids=str)
def test_credentials_of_another_user(
    what: Any, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    resource, changed = life("BaseConnection"), program("BaseConnection")
    resource.up(program("BaseConnection"))
    changed["auth"]["params"] |= {"username": "another", "password": "canary-second"}
    fault(emulator, "PATCH", "/connections/[^/]+$", **what)
    emulator.settings(mask_secrets=False)
    assert resource.up(changed) == "update"
    stored = kinds.get("BaseConnection", resource.id, runtime.current())["auth"]["params"]
    assert (stored["username"], stored["password"]) == ("another", "canary-second")
    assert resource.preview(changed) == "same"


def test_an_adoption_whose_update_loses_its_answer_again_and_again(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """Which secrets the object holds is unknown: after each 412 they are sent again."""
    made = life("BaseConnection")
    made.up(program("BaseConnection"))
    for _ in range(4):
        fault(emulator, "PATCH", "/connections/[^/]+$", drop="after")
        fault(emulator, "PATCH", "/connections/[^/]+$")  # the one sent again gets its answer, 412
    adopted = life("BaseConnection")
    assert adopted.up(program("BaseConnection", {"adopt": made.id, "description": "adopted"})) == "create"
    assert adopted.id == made.id


class LateList:
    """A list that shows new objects only after the client has waited for some seconds."""

    def __init__(self, kind: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
        client = runtime.current().client
        collection = kinds.kind_of(kind).collection(client)
        self.waited, self.seconds = 0.0, seconds
        self._find, self._known = collection.find, {item["id"] for item in collection.find()}
        monkeypatch.setattr(collection, "find", self.find)
        self._usual_pause = client._pause
        monkeypatch.setattr(client, "_pause", self._pause)

    def find(self, *filters: str) -> Iterator[Any]:
        shown = self.waited >= self.seconds
        return iter([item for item in self._find(*filters) if shown or item["id"] in self._known])

    def _pause(self, seconds: float) -> None:
        self.waited += seconds
        self._usual_pause(seconds)


def test_a_time_limit_that_is_shorter_than_lists_may_be_late(
    life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The next run does not create it again; it says when it may, and how long it would have looked."""
    resource = life("BaseConnection")
    resource.settings = replace(resource.settings, timeout=10)
    before = len(emulator.objects()["BaseConnection"])
    emulator.settings(list_lag_s=3600)
    fault(emulator, "POST", "/connections$", drop="after")
    for text in ("broke before a response came", r"Run the command again in \d+ s, or give it 30 s \(aep:timeout"):
        with pytest.raises(ResponseLost, match=text):
            resource.up(program("BaseConnection"))
    emulator.settings(list_lag_s=0)
    assert resource.up(program("BaseConnection")) == "create"
    assert len(emulator.objects()["BaseConnection"]) == before + 1
    assert [*Path(os.environ["PULUMI_HOME"]).glob("aep-unanswered/*")] == []


Creation = Callable[[str, float], tuple[Life, LateList, int]]


@pytest.fixture
def lost_creation(
    life: Callable[[str], Life], program: Program, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Creation:
    """Creates one object of a kind, whose answer is lost while lists are some seconds late; says how many POSTs."""

    def create(kind: str, seconds: float) -> tuple[Life, LateList, int]:
        resource, path = life(kind), DESCRIPTIONS[kind].collection
        before = len(emulator.objects()[kind])
        resource.run()
        late = LateList(kind, seconds, monkeypatch)
        fault(emulator, "POST", f"/{path}$", drop="after")
        emulator.clear_journal()
        assert resource.up(program(kind)) == "create"
        assert len(emulator.objects()[kind]) == before + 1
        return resource, late, writes(emulator).count(f"POST {path}")

    return create


@pytest.mark.parametrize("seconds", [0.5, 3, 14])
@by_kind
def test_a_lost_creation_and_a_list_that_shows_it_late(
    kind: str, seconds: float, lost_creation: Creation, program: Program
) -> None:
    """Before a second POST the provider looks again, with growing pauses."""
    resource, late, posts = lost_creation(kind, seconds)
    assert posts == 1
    assert late.waited < 20
    assert resource.preview(program(kind)) == "same"


class Killed(BaseException):
    """Nothing of the process runs after it."""


@pytest.mark.parametrize("end", ["killed", "no answer"])
@by_kind
def test_a_new_run_while_lists_are_late(
    kind: str,
    end: str,
    life: Callable[[str], Life],
    program: Program,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run was killed between its POST and the answer, or gave up without one. The next one comes at once."""
    resource, path = life(kind), DESCRIPTIONS[kind].collection
    before = len(emulator.objects()[kind])
    resource.run()
    late = LateList(kind, 10, monkeypatch)
    emulator.clear_journal()
    with monkeypatch.context() as patched:
        if end == "killed":
            collection = kinds.kind_of(kind).collection(runtime.current().client)
            create = collection.create

            def create_and_die(*args: Any) -> None:
                create(*args)
                raise Killed

            patched.setattr(collection, "create", create_and_die)
        else:
            patched.setattr(resource, "settings", replace(resource.settings, timeout=5))
            fault(emulator, "POST", f"/{path}$", drop="after")
        with pytest.raises((Killed, ResponseLost)):
            resource.up(program(kind))
    emulator.clear_journal()
    assert resource.up(program(kind)) == "create"
    assert f"POST {path}" not in writes(emulator)
    assert len(emulator.objects()[kind]) == before + 1
    assert late.waited < 20
    assert resource.preview(program(kind)) == "same"
    resource.destroy()
    emulator.clear_journal()
    waited = late.waited
    assert resource.up(program(kind)) == "create"
    assert late.waited == waited, "the answer came: nothing is waited for"


@pytest.mark.parametrize("kind", ["FieldGroup", "Schema"])
def test_a_title_that_our_own_object_has(kind: str, lost_creation: Creation, program: Program) -> None:
    """The list was too late even for that; the second POST is refused, as the first one did make it."""
    resource, _, posts = lost_creation(kind, 20)
    assert posts == 2
    assert resource.refresh()
    assert resource.preview(program(kind)) == "same"


def test_a_title_that_somebody_else_s_object_has(
    life: Callable[[str], Life], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only after an answer of ours was lost may it be our own: else the error comes at once."""
    schema, group, waited = life("Schema"), life("FieldGroup"), list[float]()
    schema.up(program("Schema", {"title": "taken", "owner": OTHER_STATE}))
    (problem,) = group.problems(program("FieldGroup", {"title": "taken"}))
    assert problem.startswith(f"title: 'taken' is that of the Schema {schema.id}; ")
    group.settings = replace(group.settings, online_checks=False)
    monkeypatch.setattr(runtime.current().client, "_pause", waited.append)
    with pytest.raises(ApiError, match="XDM-1521-400"):
        group.up(program("FieldGroup", {"title": "taken"}))
    assert waited == []


def test_a_creation_is_not_repeated_without_time_to_look(
    life: Callable[[str], Life], program: Program, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its list may show the object late: rather an error than a second one."""
    resource = life("FieldGroup")
    emulator.clear_journal()
    monkeypatch.setattr(http, "time_left", lambda: 0.5)
    fault(emulator, "POST", "/fieldgroups$", drop="before")
    with pytest.raises(ResponseLost, match="broke"):
        resource.up(program("FieldGroup"))
    assert writes(emulator).count("POST fieldgroups") == 1


@pytest.mark.parametrize("kind", ["FieldGroup", "Schema"])
def test_a_title_that_a_lost_update_has_set_already(
    kind: str, life: Callable[[str], Life], program: Program, emulator: Emulator
) -> None:
    """The run failed, so the state has the old title. The next one must not take the object for another's."""
    resource, changed = life(kind), program(kind, DESCRIPTIONS[kind].first_change)
    resource.up(program(kind))
    path = f"/{DESCRIPTIONS[kind].collection}/"
    for _ in range(8):
        fault(emulator, "PATCH", path, drop="after", status=500)
    with pytest.raises(ApiError, match="The change may have been made"):
        resource.up(changed)
    emulator.control("DELETE", "faults").raise_for_status()
    assert resource.up(changed) == "update"
    assert resource.refresh()
    assert resource.preview(changed) == "same"
