"""`pulumi import`: an object that no state has becomes a record, without a write and without a difference."""

from collections.abc import Callable

import pytest

from kinds import Props
from plugin.life import Life, host, one_run
from pulumi_aep.engine import runtime
from pulumi_aep.engine.values import from_host, leaves
from pulumi_aep.errors import LookupFailed, OwnershipConflict
from support.emulator import Emulator
from support.journal import writes
from support.kinds import kind_of, names, reconciler
from support.mixpanel import make_chain
from support.outside import OTHER_RECORD, OWNER

OTHER = "shop/other/web#fedcba987654.0000"
WITH_LINE = [name for name in names() if "owner" in kind_of(name).ownership.read({})]


@pytest.mark.parametrize("kind", WITH_LINE)
def test_what_another_record_has_stays_with_it(
    kind: str, life: Callable[[str], Life], program: Callable[..., Props], emulator: Emulator
) -> None:
    """Two records of one object, by an import under another name or parent: the second one goes, the object stays."""
    resource = life(kind)
    resource.up(program(kind))
    resource.run()
    verbs = reconciler(kind, runtime.current())
    state, inputs = verbs.import_object(resource.id, OTHER_RECORD)
    emulator.clear_journal()
    resource.run()
    reconciler(kind, runtime.current()).delete(resource.id, state)
    assert writes(emulator) == []
    assert resource.preview(program(kind)) == "same"

    resource.run()
    new = {**inputs, "owner": OTHER_RECORD}
    changed = reconciler(kind, runtime.current()).diff(resource.id, state, new).changes
    assert changed, "the first up writes the line"


@pytest.mark.parametrize("kind", names())
def test_it_stays_beside_the_record_that_the_program_has(
    kind: str, life: Callable[[str], Life], program: Callable[..., Props], emulator: Emulator
) -> None:
    """Also where a service has no place for a line: the run knows the first record."""
    resource = life(kind)
    resource.up(program(kind))
    resource.run()
    state, _ = reconciler(kind, runtime.current()).import_object(resource.id, OTHER_RECORD)
    emulator.clear_journal()
    with one_run(resource):
        assert resource.preview(program(kind)) == "same"
        reconciler(kind, runtime.current()).delete(resource.id, state)
    assert writes(emulator) == []


@pytest.mark.parametrize("kind", names())
def test_every_kind(kind: str, life: Callable[[str], Life], program: Callable[..., Props], emulator: Emulator) -> None:
    resource = life(kind)
    resource.up(program(kind))
    emulator.clear_journal()
    resource.run()
    verbs = reconciler(kind, runtime.current())
    owner = plain(resource).get("owner") or OWNER
    state, inputs = verbs.import_object(resource.id, owner)
    assert not names_of_secrets(kind, resource) & {str(path[-1]) for path, _ in leaves(inputs)}
    normal, problems = verbs.check(inputs, {**inputs, **({"owner": owner} if "owner" in resource.outs else {})})
    assert [problem for problem in problems if "is required" not in problem] == [], "what is secret is not imported"
    if not problems:
        assert not verbs.diff(resource.id, state, normal).changes
    assert writes(emulator) == []
    with pytest.raises(LookupFailed, match=f"^No {kind} .*0000 in sandbox local: check the id"):
        verbs.import_object(f"{resource.id[:-4]}0000", owner)


def test_a_field_group_whose_definition_another_client_named(emulator: Emulator, life: Callable[[str], Life]) -> None:
    chain = make_chain(emulator)
    life("FieldGroup").run()
    verbs = reconciler("FieldGroup", runtime.current())
    state, inputs = verbs.import_object(chain.group, OWNER)
    normal, problems = verbs.check(inputs, {**inputs, "owner": OWNER})
    assert problems == []
    assert verbs.update(chain.group, state, normal)["owner"] == OWNER, "the first update finds no foreign change"


def plain(resource: Life) -> Props:
    return from_host(host(resource.outs))


def names_of_secrets(kind: str, resource: Life) -> set[str]:
    arguments = kind_of(kind).arguments
    return {path[-1] for path in arguments.secrets(arguments.from_state(plain(resource)))}


@pytest.mark.parametrize("kind", WITH_LINE)
def test_another_stacks_object_is_refused(
    kind: str, life: Callable[[str], Life], program: Callable[..., Props], emulator: Emulator
) -> None:
    resource = life(kind)
    resource.up(program(kind))
    resource.run()
    with pytest.raises(OwnershipConflict, match="an import does not take it from there") as refused:
        reconciler(kind, runtime.current()).import_object(resource.id, OTHER)
    assert f'adopt="{resource.id}", take_over=True' in str(refused.value)
