"""Data is not deleted unless the program allows it. Each guard is tested in `plugin/test_answers.py`."""

import json
from collections.abc import Callable

from acceptance.support import Chain, Stack, both_doors, calls, writes
from pulumi_aep import XdmClass
from support.emulator import Emulator
from support.mixpanel import make_chain


@both_doors
def test_a_dataset_that_holds_data_is_kept(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    dataset = emulator.objects()["Dataset"][0]
    emulator.hold_data(dataset["id"])
    kept = f"Dataset {dataset['id']} (web) holds data and was not deleted. To delete it with its data"

    emulator.clear_journal()
    stack.change({"Schema": {"class_id": XdmClass.PROFILE}, "FieldGroup": {"class_ids": [XdmClass.PROFILE]}})
    assert kept in stack.fail("up")
    assert writes(emulator) == [], "a replacement is refused before anything is deleted"
    whole = (stack.folder / "resources.json").read_text()
    groups = [item for item in json.loads(whole) if item["kind"] == "FieldGroup"]
    (stack.folder / "resources.json").write_text(json.dumps(groups))
    for text in (stack.fail("preview"), stack.fail("up")):
        assert kept in text
    assert writes(emulator) == [], "a removal too"
    (stack.folder / "resources.json").write_text(whole)
    assert kept in stack.fail("destroy")
    deleted = {entry.split()[1] for entry in writes(emulator)}
    assert not deleted & {"flows", "sourceConnections", "targetConnections", "mappingSets", "dataSets"}, deleted

    stack.change(
        {
            "Schema": {"class_id": XdmClass.EXPERIENCE_EVENT},
            "FieldGroup": {"class_ids": [XdmClass.EXPERIENCE_EVENT]},
            "Dataset": {"force_destroy": True},
        }
    )
    stack.up()
    stack.destroy()
    assert not any(emulator.objects().values())


@both_doors
def test_what_is_worth_most_is_protected_in_production(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """`destroy` asks no provider at preview: only `protect` speaks there. Consent is one `up` with deletes allowed.

    Through the native door it is set on parts of components, as here; a plugin cannot set it on what programs of other
    languages register themselves. Removals are not seen before `protect` or the deletion refuses them.
    """
    ids = make_chain(emulator, "prod")
    program = (
        f"aep.Dataset('web', schema_id={ids.schema!r})\naep.FieldGroup('web', fields={{'a': {{'type': 'string'}}}})\n"
    )
    program += (
        f"mapping = {{'name': 'Mapping', 'params': {{'mappingId': {ids.mapping!r}}}}}\n"
        f"aep.Flow('web', source_connection_id={ids.source!r}, target_connection_id={ids.target!r}, "
        "transformations=[mapping], schedule={'frequency': 'hour', 'interval': 1})\n"
    )
    production = stack(program, sandbox="prod")
    production.up()
    before = emulator.objects("prod")
    assert production.resources()["Dataset web"].get("protect")
    assert production.resources()["Flow web"].get("protect")
    assert not production.resources()["FieldGroup web"].get("protect")
    assert "protected" in production.call("destroy", "--stack", production.name, "--preview-only").failed()
    production.program(program.partition("\n")[2])
    refusal = "prod is a production sandbox" if production.door == "dynamic" else "protected"
    assert refusal in production.fail("preview"), "whatever is removed"
    assert emulator.objects("prod") == before

    production.program(program)
    production.config({"aep:allowProductionDeletes": "true"})
    emulator.clear_journal()
    production.up()
    assert calls(emulator) == []
    production.destroy()
    assert len(emulator.objects("prod")["Dataset"]) == len(before["Dataset"]) - 1
