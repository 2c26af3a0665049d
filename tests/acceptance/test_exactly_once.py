"""Nothing is created twice: a lost state comes back by its owner id, what belongs to somebody is refused or adopted.

Each kind is tested on the fake host (`plugin/test_adoption.py`, `test_exactly_once.py`).
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.support import Chain, Stack, both_doors, writes
from kinds import DESCRIPTIONS, ORDER
from support.emulator import Emulator
from support.kinds import is_recognized


def ids(emulator: Emulator, sandbox: str = "local") -> dict[str, set[str]]:
    return {kind: {item["id"] for item in found} for kind, found in emulator.objects(sandbox).items()}


@both_doors
def test_a_second_copy_is_refused_and_a_lost_state_comes_back(tmp_path: Path, emulator: Emulator, door: str) -> None:
    (tmp_path / "one").mkdir()
    first = Chain(tmp_path / "one", emulator, "dev", door).start()
    first.up()
    before = ids(emulator)
    owner_id = first.identity()

    (tmp_path / "two").mkdir()
    by_hand = {kind: {"adopt": min(found)} for kind, found in before.items() if not is_recognized(kind)}
    second = Chain(tmp_path / "two", emulator, "dev", door).start(by_hand)
    emulator.clear_journal()
    text = second.fail("preview")
    assert "already exists as" in text
    assert re.search(rf"owned by shop/dev/web[\w-]*#{owner_id}", text)
    assert first.spelled("take_over=True") in text
    assert first.spelled("allow_duplicate_name=True") in text
    assert f"pulumi config set aep:ownerId {owner_id}" in text
    second.fail("up")
    assert writes(emulator) == []
    assert ids(emulator) == before

    shutil.rmtree(tmp_path / "one" / "state")
    second.config({"aep:ownerId": owner_id})
    second.up()
    after = ids(emulator)
    made_first = [kind for kind in ORDER if DESCRIPTIONS[kind].made_first and is_recognized(kind)]
    for kind in made_first:
        assert len(after.pop(kind) - before.pop(kind)) == 1, "never taken: the old one may be in use"
    assert after == before
    assert second.preview().changes == {}
    second.destroy()
    assert [kind for kind, found in emulator.objects().items() if found] == made_first


@pytest.mark.live
@both_doors
def test_another_stacks_object_needs_take_over(tmp_path: Path, emulator: Emulator, door: str) -> None:
    (tmp_path / "one").mkdir()
    first = Stack(tmp_path / "one", emulator, "dev", door)
    first.create('aep.FieldGroup("group", title=label + "group", fields={"item": {"type": "string"}})', "local")
    first.up()
    group = first.resources()["FieldGroup group"]["id"]

    (tmp_path / "two").mkdir()
    second = Stack(tmp_path / "two", emulator, "dev", door)
    line = f'aep.FieldGroup("group", title=label + "group", fields={{"item": {{"type": "string"}}}}, adopt="{group}"'
    second.create(f"{line})", "local")
    assert f"{group} belongs to shop/dev/group#" in (text := second.fail("preview"))
    assert first.spelled("set take_over=True") in text
    second.program(f"{line}, take_over=True)")
    second.up()
    (found,) = emulator.objects()["FieldGroup"]
    assert found["id"] == group
    assert second.resources()["FieldGroup group"]["outputs"]["owner"] in found["description"]


@both_doors
def test_a_production_sandbox_keeps_what_it_has(stack: Callable[..., Stack], emulator: Emulator) -> None:
    group = 'aep.FieldGroup("group", fields={{"{0}": {{"type": "string"}}}})'
    production = stack(group.format("item"), sandbox="prod")
    production.up()
    before = ids(emulator, "prod")
    production.program(group.format("other"))
    for text in (production.fail("preview"), production.fail("destroy")):
        assert "prod is a production sandbox" in text
        assert "pulumi config set aep:allowProductionDeletes true" in text
    assert ids(emulator, "prod") == before
    production.config({"aep:allowProductionDeletes": "true"})
    production.up()
    assert ids(emulator, "prod") != before
    production.destroy()
    assert not any(emulator.objects("prod").values())
