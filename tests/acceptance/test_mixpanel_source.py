"""The component: whole, on top of what exists, and refusing what contradicts itself."""

from collections import Counter
from collections.abc import Callable

from acceptance.support import Stack, both_doors, writes
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


def source(more: str) -> str:
    return f'from datetime import datetime, timezone\nweb = aep.MixpanelSource("web", {ARGUMENTS} {more})\n'


@both_doors
def test_on_top_of_what_exists(stack: Callable[..., Stack], emulator: Emulator) -> None:
    theirs = make_chain(emulator)
    before = emulator.objects()
    emulator.clear_journal()
    program = "from datetime import datetime, timezone\n"
    for number, (arguments, _) in enumerate(EXISTING.values()):
        for name, value in vars(theirs).items():
            arguments = arguments.replace(f"'{{{name}}}'", repr(value))
        program += f'aep.MixpanelSource("web-{number}", {ARGUMENTS} {arguments})\n'
    dev = stack(program)
    dev.up()
    expected = Counter(call for _, more in EXISTING.values() for call in [*CONNECTIONS, *more])
    assert Counter(writes(emulator)) == expected
    for number, existing in enumerate(EXISTING):
        check_wiring(emulator, theirs, existing, f"web-{number}")
    assert set(dev.preview().changes.values()) == {"read"}
    dev.destroy()
    assert emulator.objects() == before


def check_wiring(emulator: Emulator, theirs: Chain, existing: str, name: str) -> None:
    """Of the flow with this name."""
    objects = emulator.objects()
    (flow,) = [item for item in objects["Flow"] if item["name"] == name]
    (target,) = [item for item in objects["TargetConnection"] if item["id"] == flow["targetConnectionIds"][0]]
    assert flow["scheduleParams"]["startTime"] == "1769839200"
    dataset, data = target["params"]["dataSetId"], target["data"]
    assert (dataset == theirs.dataset) == ("dataset" in existing.split()[0])
    assert data["schema"]["id"] == theirs.schema
    (transformation,) = flow["transformations"]
    mapping = transformation["params"]["mappingId"]
    assert transformation == {"name": "Mapping", "params": {"mappingId": mapping, "mappingVersion": "0"}}
    assert (mapping == theirs.mapping) == ("mapping set" in existing)
    assert mapping in {item["id"] for item in objects["MappingSet"]}


@both_doors
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
    program = "from datetime import datetime, timezone\n"
    for number, text in enumerate(cases):
        program += f"aep.MixpanelSource('web-{number}', {ARGUMENTS} {text})\n"
    dev = stack(program)
    seen = dev.fail("preview")
    together = len(cases) if dev.door == "dynamic" else 1  # the plugin has no gate: the first one ends the program
    for number, problem in enumerate([*cases.values()][:together]):
        assert f"MixpanelSource web-{number}:\n      - {problem}" in seen
    assert writes(emulator) == []
