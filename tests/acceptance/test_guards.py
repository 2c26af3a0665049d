"""Data is not deleted unless the program allows it. Each guard is tested in `plugin/test_answers.py`."""

from collections.abc import Callable

from acceptance.support import Chain, writes
from pulumi_aep import XdmClass
from support.emulator import Emulator

BATCH = {"01ED0C6BQ2HPNH4EVPQ5WXYZAB": {"status": "success"}}


def test_a_dataset_that_holds_data_is_kept(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    dataset = emulator.objects()["Dataset"][0]
    holds_data = {"method": "GET", "path": "/catalog/batches$", "status": 200, "body": BATCH}
    emulator.control("POST", "faults", holds_data).raise_for_status()
    kept = f"Dataset {dataset['id']} (web) holds data and was not deleted. To delete it with its data"

    emulator.clear_journal()
    stack.change({"Schema": {"class_id": XdmClass.PROFILE}, "FieldGroup": {"class_ids": [XdmClass.PROFILE]}})
    assert kept in stack.fail("up")
    assert writes(emulator) == [], "a replacement is refused before anything is deleted"
    assert kept in stack.fail("destroy")
    assert emulator.objects()["Dataset"] == [dataset]
    assert "DELETE dataSets" not in writes(emulator)

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
