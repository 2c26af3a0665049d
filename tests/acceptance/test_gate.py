"""The Owner's check comes before any other step: what no id of a replaced object is needed for is checked there."""

from collections.abc import Callable

from acceptance.support import Stack, both_doors, calls, nothing_changed, writes
from kinds.description import SECRET
from support.emulator import CATALOG, REGISTRY, Emulator
from support.mixpanel import dataset, make_chain, schema

PROGRAM = """
base = aep.BaseConnection(
    "web",
    connection_spec=aep.ConnectionSpec.{spec},
    auth={{"spec_name": {way!r}, "params": {params!r}}},
)
source = aep.SourceConnection(
    "web",
    base_connection_id=base.id,
    connection_spec=aep.ConnectionSpec.{source_spec},
    data={{"format": "json"}},
    params={source_params!r},
)
aep.Flow(
    "web",
    source_connection_id=source.id,
    target_connection_id={chain.target!r},
    transformations=[{{"name": "Mapping", "params": {{"mappingId": {chain.mapping!r}, "mappingVersion": 0}}}}],
    schedule={{"frequency": "minute", "interval": {interval}}},
    opts=pulumi.ResourceOptions(parent=base),
)
"""
MIXPANEL = {
    "spec": "MIXPANEL",
    "source_spec": "MIXPANEL",
    "source_params": {"projectId": "1", "timezone": "UTC"},
    "way": "Basic Authentication",
    "params": {"username": "u", "password": SECRET},
}
ZENDESK = {
    "spec": "ZENDESK",
    "source_spec": "ZENDESK",
    "source_params": {},
    "way": "OAuth2 Refresh Code",
    "params": {"subdomain": "a", "accessToken": SECRET},
}
"""Another spec replaces the base connection, and with it source and flow: they are deleted first."""


def test_a_replacement_that_cannot_be_finished_is_not_begun(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """The engine checks what it creates again only after it has deleted it; `--skip-preview` leaves the preview out."""
    chain = make_chain(emulator)
    dev = stack(PROGRAM.format(chain=chain, interval=15, **MIXPANEL))
    dev.up()
    before = emulator.objects()

    emulator.clear_journal()
    assert nothing_changed(dev.up())
    assert calls(emulator) == []
    kept = dev.resources()["Owner aep-owner"]
    assert kept["inputs"]["__plan"].keys() == {"BaseConnection web", "SourceConnection web", "Flow web"}
    assert set(kept["inputs"]) == {"__provider", "__identity", "__plan", "__stack"}, "no value of the program"

    dev.program(PROGRAM.format(chain=chain, interval=5, **ZENDESK))
    for text in (dev.fail("up", "--skip-preview"), dev.fail("preview")):
        assert "Flow web: schedule: interval must be at least 15 when frequency is 'minute'; got 5" in text
        assert SECRET not in text
    wrong = {**ZENDESK, "params": {"subdomain": "a", "token": SECRET}}
    dev.program(PROGRAM.format(chain=chain, interval=15, **wrong))
    text = dev.fail("up", "--skip-preview")
    assert "BaseConnection web: auth.params.accessToken: is required by 'OAuth2 Refresh Code'" in text
    assert SECRET not in text
    assert writes(emulator) == []
    assert emulator.objects() == before


def test_an_error_of_the_program_is_no_removal(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """What the program would have made after it is not gone from the program; Pulumi prints the error."""
    chain = make_chain(emulator)
    four = """
for number in range(4):
    if number == 1 and {fails}:
        raise ValueError("of the program")
    aep.SourceConnection(f"web{{number}}", base_connection_id={base!r}, connection_spec=aep.ConnectionSpec.MIXPANEL,
        data={{"format": "json"}}, params={{"projectId": "1", "timezone": "UTC"}})
    aep.Flow(f"web{{number}}", source_connection_id={chain.source!r}, target_connection_id={chain.target!r},
        mapping={chain.mapping!r}, schedule={{"frequency": "day", "interval": 1}})
"""
    dev = stack(four.format(chain=chain, base=chain.base, fails=False))
    dev.up()
    before = emulator.objects()
    dev.program(four.format(chain=chain, base=chain.base, fails=True))
    for verb in ("preview", "up"):
        text = dev.call(verb, "--stack", dev.name, *(["--yes", "--skip-preview"] if verb == "up" else [])).text
        assert "ValueError: of the program" in text
        assert "would delete" not in text
    assert emulator.objects() == before
    dev.program(four.format(chain=chain, base=chain.base, fails=False))
    assert set(dev.preview("--refresh").changes.values()) == {"read"}  # the mapping set of all; nothing is changed
    dev.program(four.format(chain=chain, base=chain.base, fails=False).replace("range(4)", "range(1)"))
    assert "this run would delete 3 of the stack's 4 flows" in dev.fail("preview")


COMPONENTS = """
def program():
    last = pulumi.Output.from_input("x")
    for number in range(3):
        given = dict(connection_spec="Amazon S3", data={{"format": "json"}}, params={{"path": "/a", "type": "folder"}},
            auth={{"spec_name": "Access Key", "params": {{"s3AccessKey": "AKIA", "s3SecretKey": {secret!r}}}}},
            fields={{"a": {{"type": "string"}}}}, mappings=[{{"source": "a", "destination": "_{{tenantId}}.a"}}],
            schedule={{"frequency": "hour", "interval": 1}})
        made = aep.Source(f"web{{number}}", **given | {wrong}[number])
        last = pulumi.Output.concat(last, made.flow.runs_url, made.base_connection.id)
    aep.Dataset("more", schema_id=made.schema.id, name={name!r}, opts=pulumi.ResourceOptions(depends_on=[made]))
    pulumi.export("last", last)

"""
WRONG = [
    {"schedule": {"frequency": "hourly"}, "schema_id": "https://x"},
    {"connection_spec": "Amazon S4"},
    {"parts": {"flow": {"nam": "x"}}, "params": None, "fields": None},
]


def test_wrong_components_are_reported_together(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """With the mistakes of other resources, before anything is written. The parts that they lack are no removal."""
    right = COMPONENTS.format(secret=SECRET, wrong=[{}] * 3, name="more")
    wrong = COMPONENTS.format(secret=SECRET, wrong=WRONG, name="")
    plain = "program()\n"
    awaits = "import asyncio\n\nasync def begin():\n    program()\n    await asyncio.sleep(0)\n\npulumi.run(begin)\n"
    dev = stack(wrong + plain)
    check_together(dev.fail("up"))
    assert writes(emulator) == []
    dev.program(right + plain)
    dev.up()
    before = emulator.objects()
    for begin in (plain, awaits):
        dev.program(wrong + begin)
        for verb in ("preview", "up"):
            check_together(dev.fail(verb))
    assert emulator.objects() == before
    dev.program(right + plain)
    assert dev.preview().changes == {}


def check_together(text: str) -> None:
    for problem in (
        "Source web0:\n      - schedule.frequency: must be 'once', 'minute', 'hour', 'day' or 'week'",
        "Source web0:",
        "fields: an existing schema keeps its own; leave fields out",
        "Source web1:\n      - connection_spec: ",
        "Source web2:\n      - parts.flow.nam: ",
        "fields: give fields or field_group_ids for a new schema",
        "Dataset more: name: must not be empty",
    ):
        assert problem in text, text
    assert "would delete" not in text
    assert SECRET not in text
    assert "Traceback" not in text


def test_a_target_leaves_nothing_half_done(stack: Callable[..., Stack], emulator: Emulator) -> None:
    """`--target` of a replaced base deletes what depends on it without a check: the Owner has to be a target too."""
    chain = make_chain(emulator)
    dev = stack(PROGRAM.format(chain=chain, interval=15, **MIXPANEL))
    dev.up()
    before = emulator.objects()
    base, owner = dev.urn("BaseConnection web"), dev.urn("Owner aep-owner")
    dev.program(PROGRAM.format(chain=chain, interval=15, **ZENDESK))
    emulator.clear_journal()
    for verb in ("preview", "up"):
        text = dev.fail(verb, "--target", base)
        assert "This run would replace an object, but --target keeps it from checking" in text
        assert f"--target '{owner}'" in text
    assert writes(emulator) == []
    assert emulator.objects() == before

    dev.program(PROGRAM.format(chain=chain, interval=5, **ZENDESK))
    text = dev.fail("up", "--target", base, "--target", owner, "--target-dependents")
    assert "Flow web: schedule: interval must be at least 15" in text
    assert emulator.objects() == before


@both_doors
def test_a_base_connection_of_another_spec(stack: Callable[..., Stack], emulator: Emulator, door: str) -> None:
    """The base would be replaced, and source and flow with it; the source's successor would be refused."""
    chain = make_chain(emulator)
    dev = stack(PROGRAM.format(chain=chain, interval=15, **MIXPANEL))
    dev.up()
    before = emulator.objects()
    wrong = {**ZENDESK, "source_spec": "MIXPANEL", "source_params": MIXPANEL["source_params"]}
    dev.program(PROGRAM.format(chain=chain, interval=15, **wrong))
    assert_refused(dev, emulator, door, "must be that of the base connection, Zendesk")
    assert emulator.objects() == before


SCHEMAS = """
group = aep.FieldGroup("fields", fields={{"page": {{"type": "string"}}}})
schemas = {{name: aep.Schema(name, field_group_ids=[group.id]) for name in {schemas!r}}}
dataset = aep.Dataset("web", schema_id=schemas[{dataset!r}].id)
target = aep.TargetConnection("web", dataset_id=dataset.id{target})
mapping = aep.MappingSet(
    "web", schema_id=schemas[{mapping!r}].id, mappings=[{{"source": "page", "destination": "_{{tenantId}}.page"}}]
)
aep.Flow(
    "web",
    source_connection_id={chain.source!r},
    target_connection_id=target.id,
    mapping=mapping,
    schedule={{"frequency": "day", "interval": 1}},
)
"""


@both_doors
def test_a_mapping_set_for_another_schema(stack: Callable[..., Stack], emulator: Emulator, door: str) -> None:
    """Also one that the same run would create: its name is known, its id is not."""
    chain = make_chain(emulator)

    def program(**changes: str) -> str:
        names = {"dataset": "one", "mapping": "one", "target": ""} | changes
        schemas = sorted({"one", names["dataset"], names["mapping"]})
        return SCHEMAS.format(chain=chain, schemas=schemas, **names)

    dev = stack(program())
    dev.up()
    before = emulator.objects()
    text = "the mapping set is for schema 'one', and the dataset of the target connection has schema 'two'"
    dev.program(program(dataset="two"))
    assert_refused(dev, emulator, door, text)
    dev.program(program(mapping="two"))
    assert_refused(dev, emulator, door, "the mapping set is for schema 'two', and the dataset of the target connection")
    dev.program(program(dataset="two", mapping="two", target=", schema_id=schemas['one'].id"))
    assert_refused(dev, emulator, door, "the schema of the dataset is 'two'; got 'one'")
    assert emulator.objects() == before
    dev.program(program(dataset="two", mapping="two", target=", schema_id=schemas['two'].id"))
    dev.up()
    assert dev.preview().changes == {}


EXISTING = """
aep.Source(
    "web",
    connection_spec="Mixpanel",
    base_connection_id={chain.base!r},
    data={{"format": "json"}},
    params={{"projectId": "1", "timezone": "UTC"}},
    dataset_id={dataset!r},
    mapping_set_id={mapping!r},
    schedule={{"frequency": "day", "interval": 1}},
)
"""


@both_doors
def test_a_component_on_a_dataset_of_another_schema(stack: Callable[..., Stack], emulator: Emulator, door: str) -> None:
    chain = make_chain(emulator)
    other = emulator.request("POST", f"{REGISTRY}/tenant/schemas", schema(chain.group, title="other")).json()["$id"]
    made = emulator.request("POST", f"{CATALOG}/dataSets?requestDataSource=true", dataset(other, "other"))
    dataset_id = made.json()[0].rsplit("/", 1)[1]
    dev = stack(EXISTING.format(chain=chain, dataset=chain.dataset, mapping=chain.mapping))
    dev.up()
    before = emulator.objects()
    dev.program(EXISTING.format(chain=chain, dataset=dataset_id, mapping=chain.mapping))
    assert_refused(dev, emulator, door, f"the dataset of the target connection has schema {other}")
    assert emulator.objects() == before
    emulator.clear_journal()
    dev.program(EXISTING.format(chain=chain, dataset=chain.dataset, mapping=chain.mapping))
    assert nothing_changed(dev.up())


def assert_refused(dev: Stack, emulator: Emulator, door: str, text: str) -> None:
    """At preview; where the program says its plan, also before anything is deleted without a preview."""
    emulator.clear_journal()
    for verb in [("preview",), *([("up", "--skip-preview")] if door == "dynamic" else [])]:
        assert text in dev.fail(*verb)
    assert writes(emulator) == []
