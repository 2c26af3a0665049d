"""What is particular to the native door: providers, moves from one door to the other, imports, replacements."""

import json
from collections.abc import Callable
from pathlib import Path

from acceptance.support import EACH, Chain, Stack, nothing_changed, pulumi_aep, writes
from kinds import DESCRIPTIONS, ORDER
from support.emulator import Emulator
from support.kinds import kind_of

PROVIDERS = """
class Provider(pulumi.ProviderResource):
    def __init__(self, name, **args):
        super().__init__("aep", name, args)


for sandbox in pulumi.Config().require_object("sandboxes"):
    secret = pulumi.Output.secret("emulator-secret")
    provider = Provider(sandbox, endpoint="emulator", sandbox=sandbox, clientSecret=secret, concurrency=4)
    aep.MixpanelSource(
        f"shop-{sandbox}",
        title="web shop",
        username="me",
        password="canary-pa55",
        project_id="1",
        timezone="UTC",
        schedule={"frequency": "hour", "interval": 1, "start_time": 1700000000},
        opts=pulumi.ResourceOptions(providers=[provider]),
    )
"""


def count(emulator: Emulator, sandbox: str) -> int:
    return sum(len(found) for found in emulator.objects(sandbox).values())


def test_one_program_for_three_sandboxes(tmp_path: Path, emulator: Emulator) -> None:
    sandboxes = ["local", "dev", "stage"]
    dev = Stack(tmp_path, emulator, "dev", "native").create(PROVIDERS, "none")
    dev.config({"shop:sandboxes": json.dumps(sandboxes), "aep:sandbox": None, "aep:endpoint": None})
    dev.up()
    assert [count(emulator, sandbox) for sandbox in sandboxes] == [8, 8, 8]
    identities = {dev.resources()[f"aep {sandbox}"]["inputs"]["ownerId"] for sandbox in sandboxes}
    assert len(identities) == 3, "each provider has its own"
    for sandbox in sandboxes:
        (flow,) = emulator.objects(sandbox)["Flow"]
        assert flow["description"].startswith(f"[pulumi: shop/dev/shop-{sandbox}#")
        assert any(identity in flow["description"] for identity in identities)
    exported = dev.export()
    assert "emulator-secret" not in exported
    assert "canary-pa55" not in exported
    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert writes(emulator) == []
    for sandbox in sandboxes:
        assert "agree" in pulumi_aep(emulator, tmp_path, "orphans", "--stack", "dev", sandbox=sandbox)

    dev.config({"shop:sandboxes": json.dumps(["local", "dev"])})
    dev.up()
    assert [count(emulator, sandbox) for sandbox in sandboxes] == [8, 8, 0]
    dev.destroy()
    assert [count(emulator, sandbox) for sandbox in sandboxes] == [0, 0, 0]


def test_a_provider_does_not_change_its_sandbox_by_mistake(tmp_path: Path, emulator: Emulator) -> None:
    dev = Stack(tmp_path, emulator, "dev", "native")
    dev.create('aep.FieldGroup("group", fields={"item": {"type": "string"}})', "local")
    dev.up()
    dev.config({"aep:sandbox": "dev"})
    emulator.clear_journal()
    for text in (dev.fail("preview"), dev.fail("up")):
        assert "sandbox: this provider's objects live in local." in text
        assert "allowMassDelete" in text
    assert writes(emulator) == []

    dev.config({"aep:allowMassDelete": "true"})
    assert dev.preview().changes["FieldGroup group"] == "replace"
    emulator.control("POST", "faults", {"method": "POST", "path": "/fieldgroups$", "status": 400}).raise_for_status()
    dev.fail("up")
    emulator.control("DELETE", "faults").raise_for_status()
    assert dev.preview().changes["FieldGroup group"] == "replace", "the provider has moved, the object not yet"
    dev.up()
    assert (count(emulator, "local"), count(emulator, "dev")) == (0, 1)


def test_from_one_door_to_the_other_and_back(chain: Callable[..., Chain], emulator: Emulator) -> None:
    """Every kind moves by its alias: one update each, which rewrites the state and calls no service."""
    stack = chain(every=True)
    stack.up()
    identity, before = stack.identity(), emulator.objects()
    stack.config({"aep:ownerId": identity})
    for door, former in (("native", None), ("dynamic", "aep:index:")):
        stack.move(door, former)
        changes = stack.preview().changes
        changes.pop("Owner aep-owner", None)
        assert set(changes.values()) == {"update"}, changes
        assert set(EACH) <= set(changes)
        emulator.clear_journal()
        stack.up()
        assert writes(emulator) == []
        assert stack.identity() == identity
        assert stack.preview().changes == {}
        assert emulator.objects() == before
    stack.destroy()
    assert not any(emulator.objects().values())


def test_import_of_every_kind(tmp_path: Path, emulator: Emulator) -> None:
    """In bulk, from records that the state lost; then a whole program finds nothing to do but what is secret."""
    stack = Chain(tmp_path, emulator, "dev", "native").start()
    stack.up()
    made = {name: item for name, item in stack.resources().items() if item["type"].startswith("aep:index:")}
    exported = json.loads(stack.export())
    kept = [each for each in exported["deployment"]["resources"] if not each["type"].startswith("aep:index:")]
    exported["deployment"]["resources"] = kept
    (tmp_path / "state.json").write_text(json.dumps(exported))
    stack.run("stack", "import", "--stack", "dev", "--file", "state.json")
    wanted = [
        {"type": item["type"], "name": item["urn"].rsplit("::", 1)[1], "id": item["id"]} for item in made.values()
    ]
    (tmp_path / "wanted.json").write_text(json.dumps({"resources": wanted}))
    emulator.clear_journal()
    text = stack.run(
        "import", "--stack", "dev", "--yes", "--protect=false", "--generate-code=false", "--file", "wanted.json"
    )
    assert writes(emulator) == []
    assert set(stack.resources()) >= set(made)
    secret_kinds = {f"{kind} web" for kind in ORDER if kind_of(kind).arguments.secrets(DESCRIPTIONS[kind].every)}
    assert set(stack.preview().changes) <= secret_kinds, text
    stack.up()
    assert set(writes(emulator)) <= {"PATCH connections"}
    assert stack.preview().changes == {}
    stack.destroy()
    assert not any(emulator.objects().values())


def test_an_import_takes_nothing_from_another_stack(tmp_path: Path, emulator: Emulator) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    program = 'aep.FieldGroup("group", fields={"item": {"type": "string"}})'
    first = Stack(tmp_path / "one", emulator, "dev", "native").create(program, "local")
    first.up()
    group = first.resources()["FieldGroup group"]["id"]
    second = Stack(tmp_path / "two", emulator, "dev", "native").create("", "local")
    text = second.fail("import", "--generate-code=false", "aep:index:FieldGroup", "mine", group)
    assert f"{group} belongs to shop/dev/group#" in text
    assert f'adopt: "{group}", takeOver: true' in text
    assert "FieldGroup mine" not in second.resources()

    line = f'aep.FieldGroup("mine", title="group", fields={{"item": {{"type": "string"}}}}, adopt="{group}"'
    second.program(f"{line}, take_over=True)")
    second.up()
    assert [item["id"] for item in emulator.objects()["FieldGroup"]] == [group]


BY_HAND = """
fields = {"item": {"type": "string"}}
pulumi.CustomResource("aep:index:FieldGroup", "group", {"fields": fields, "version": None})
"""


def test_a_replacement_on_request_needs_the_option(tmp_path: Path, emulator: Emulator) -> None:
    """The engine asks no diff for it and creates first: the run says so, and nothing is made twice."""
    dev = Stack(tmp_path, emulator, "dev", "native").create(BY_HAND, "local")
    dev.up()
    before = emulator.objects()
    text = dev.up("--replace", dev.urn("FieldGroup group"))
    said = text.partition("aep:index:FieldGroup (group):\n")[2].partition("\n\n")[0]  # beside its resource
    assert "was not replaced: it has to be deleted first." in said
    assert "deleteBeforeReplace" in text
    assert [item["id"] for item in emulator.objects()["FieldGroup"]] == [item["id"] for item in before["FieldGroup"]]
    option = '"version": None}, pulumi.ResourceOptions(delete_before_replace=True)'
    dev.program(BY_HAND.replace('"version": None}', option))
    dev.up()
    emulator.clear_journal()
    dev.up("--replace", dev.urn("FieldGroup group"))
    assert writes(emulator) == ["DELETE fieldgroups", "POST fieldgroups"]


def test_problems_and_previews_name_the_property(tmp_path: Path, emulator: Emulator) -> None:
    program = """
pulumi.CustomResource("aep:index:Flow", "web", {
    "sourceConnectionId": "x", "schedule": {"frequency": "hour", "startTime": "tomorrow"}, "enabeld": True,
})
"""
    dev = Stack(tmp_path, emulator, "dev", "native").create(program, "local")
    text = dev.fail("preview")
    assert "sourceConnectionId: must be an id like" in text
    assert "targetConnectionId: is required" in text
    assert "schedule.startTime: must be epoch seconds" in text
    assert "enabeld: is not a known key (did you mean enabled?)" in text


def test_a_step_after_the_creation_that_fails_keeps_the_object(chain: Callable[..., Chain], emulator: Emulator) -> None:
    """Through the dynamic door this is a warning; the native one reports a resource that failed to initialize."""
    stack = chain({"Flow": {"enabled": False}})
    stack.move("native")
    refused = {"method": "POST", "path": "/action$", "status": 400, "body": {"errorMessage": "not now"}}
    emulator.control("POST", "faults", refused).raise_for_status()
    text = stack.fail("up")
    assert "it is still enabled" in text
    (flow,) = emulator.objects()["Flow"]
    assert stack.resources()["Flow web"]["id"] == flow["id"]
    emulator.control("DELETE", "faults").raise_for_status()
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["POST flows/action"]
