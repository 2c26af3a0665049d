"""The component: whole, on top of what exists, and refusing what contradicts itself."""

from collections import Counter
from collections.abc import Callable

import pytest

from acceptance.support import Stack, writes
from support.emulator import Emulator
from support.mixpanel import Chain, make_chain

ARGUMENTS = """
    username="shop", password="pa55", project_id="2384945", timezone="UTC",
    schedule={"frequency": "hour", "interval": 1, "start_time": datetime(2026, 1, 31, 6, tzinfo=timezone.utc)},
"""
MAPPINGS = '[{"source": "properties.distinct_id", "destination": "_{tenantId}.distinct_id"}]'
CONNECTIONS = ["POST connections", "POST sourceConnections", "POST targetConnections", "POST flows"]
EXISTING = {
    "dataset and mapping set": ("dataset_id='{dataset}', mapping_set_id='{mapping}'", []),
    "dataset": (f"dataset_id='{{dataset}}', mappings={MAPPINGS}", ["POST mappingSets"]),
    "schema and mapping set": ("schema_id='{schema}', mapping_set_id='{mapping}'", ["POST dataSets"]),
}


TRY = """
try:
    aep.MixpanelSource("web-{number}", {arguments})
except pulumi.RunError as error:
    texts.append(str(error))
"""


def source(more: str) -> str:
    return f'from datetime import datetime, timezone\nweb = aep.MixpanelSource("web", {ARGUMENTS} {more})\n'


@pytest.mark.parametrize("existing", EXISTING)
def test_on_top_of_what_exists(existing: str, stack: Callable[..., Stack], emulator: Emulator) -> None:
    theirs = make_chain(emulator)
    before = emulator.objects()
    emulator.clear_journal()
    arguments, more = EXISTING[existing]
    for name, value in vars(theirs).items():
        arguments = arguments.replace(f"'{{{name}}}'", repr(value))
    dev = stack(source(arguments) + 'pulumi.export("group", web.field_group)\n')
    dev.up()
    assert Counter(writes(emulator)) == Counter([*CONNECTIONS, *more])
    check_wiring(emulator, theirs, existing)
    assert set(dev.preview().changes.values()) == {"read"}
    dev.destroy()
    assert emulator.objects() == before


def check_wiring(emulator: Emulator, theirs: Chain, existing: str) -> None:
    def new(kind: str) -> dict[str, object]:
        return emulator.objects()[kind][-1]

    flow, target, dataset = new("Flow"), new("TargetConnection"), new("Dataset")
    schedule, data = flow["scheduleParams"], target["data"]
    assert isinstance(schedule, dict)
    assert isinstance(data, dict)
    assert schedule["startTime"] == "1769839200"
    assert target["params"] == {"dataSetId": dataset["id"]}
    assert (dataset["id"] == theirs.dataset) == ("dataset" in existing.split()[0])
    assert data["schema"]["id"] == theirs.schema
    mapping = new("MappingSet")["id"]
    assert (mapping == theirs.mapping) == ("mapping set" in existing)
    assert flow["transformations"] == [{"name": "Mapping", "params": {"mappingId": mapping, "mappingVersion": "0"}}]


def test_contradictions(stack: Callable[..., Stack], emulator: Emulator) -> None:
    dataset, mapping, schema = "'5ef4551c52e054191a61a99f'", "'bf5286a9c1ad4266baca76ba3adc9366'", "'https://x'"
    cases = {
        f"dataset_id={dataset}, schema_id={schema}, mapping_set_id={mapping}": "dataset_id and schema_id: a dataset",
        f"dataset_id={dataset}, fields={{}}, mapping_set_id={mapping}": "fields: an existing schema keeps its own",
        f"dataset_id={dataset}, mapping_set_id={mapping}, mappings=[]": "mapping_set_id and mappings: give only one",
        f"schema_id={schema}": "mappings: the tutorial's do not fit an existing schema",
        "fields={'x': {'type': 'string'}}": "mappings: the tutorial's do not fit your own fields",
        f"mapping_set_id={mapping}": "mapping_set_id: a mapping set belongs to an existing schema",
    }
    tries = "".join(TRY.format(number=number, arguments=ARGUMENTS + text) for number, text in enumerate(cases))
    dev = stack(f"from datetime import datetime, timezone\ntexts = []\n{tries}pulumi.export('texts', texts)\n")
    dev.up()
    texts = dev.outputs()["texts"]
    assert len(texts) == len(cases)
    for number, (text, problem) in enumerate(zip(texts, cases.values(), strict=True)):
        assert text.startswith(f"MixpanelSource web-{number}:\n  - {problem}")
    dev.program(source(f"schema_id={schema}"))
    assert "MixpanelSource web:\n      - mappings: the tutorial's do not fit" in dev.fail("preview")
    assert writes(emulator) == []
