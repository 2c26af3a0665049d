"""What is not thrown away unasked, and what is repaired after a half success. The emulator's faults play the part."""

from collections.abc import Callable

from acceptance.support import Chain, calls, writes
from pulumi_aep import XdmClass
from support.emulator import Emulator

BATCH = {"01ED0C6BQ2HPNH4EVPQ5WXYZAB": {"status": "success"}}


def fault(emulator: Emulator, **given: object) -> None:
    emulator.control("POST", "faults", given).raise_for_status()


def test_a_dataset_that_holds_data_is_kept(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain()
    stack.up()
    dataset = emulator.objects()["Dataset"][0]
    fault(emulator, method="GET", path="/catalog/batches$", status=200, body=BATCH)
    kept = f"Dataset {dataset['id']} (web) holds data and was not deleted. To delete it with its data, set force_destroy=True"

    emulator.clear_journal()
    stack.change({"Schema": {"class_id": XdmClass.PROFILE}, "FieldGroup": {"class_ids": [XdmClass.PROFILE]}})
    assert kept in stack.fail("preview")
    assert kept in stack.fail("up")
    assert writes(emulator) == [], "a replacement is refused before anything is deleted"

    stack.change(
        {"Schema": {"class_id": XdmClass.EXPERIENCE_EVENT}, "FieldGroup": {"class_ids": [XdmClass.EXPERIENCE_EVENT]}}
    )
    assert stack.preview().changes == {}
    assert kept in stack.fail("destroy")
    assert emulator.objects()["Dataset"] == [dataset]
    assert "DELETE dataSets" not in calls(emulator)

    stack.up()
    stack.change({"Dataset": {"force_destroy": True}})
    assert stack.preview().changes == {"Dataset web": "update"}
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == [], "an option is no change of the object"
    stack.destroy()
    assert not any(emulator.objects().values())


def test_a_flow_that_could_not_be_disabled_is_repaired(chain: Callable[..., Chain], emulator: Emulator) -> None:
    stack = chain({"Flow": {"enabled": False}})
    fault(emulator, method="POST", path="/action$", status=400, body={"message": "not now"}, times=1)
    text = stack.up()
    flow = emulator.objects()["Flow"][0]
    assert flow["state"] == "enabled"
    assert f"warning: flow {flow['id']} was made, but it is still enabled" in text
    assert "400: not now" in text
    assert "Run pulumi up again." in text

    assert stack.preview().changes == {"Flow web": "update"}
    emulator.clear_journal()
    stack.up()
    assert writes(emulator) == ["POST flows/action"]
    assert emulator.objects()["Flow"][0]["id"] == flow["id"]
    assert emulator.objects()["Flow"][0]["state"] == "disabled"
    assert stack.preview().changes == {}
