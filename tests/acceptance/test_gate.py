"""The Owner's check comes before any other step: what no id of a replaced object is needed for is checked there."""

from collections.abc import Callable

from acceptance.support import Stack, calls, nothing_changed, writes
from kinds.description import SECRET
from support.emulator import Emulator
from support.mixpanel import make_chain

PROGRAM = """
base = aep.BaseConnection(
    "web",
    connection_spec=aep.ConnectionSpec.{spec},
    auth={{"spec_name": {way!r}, "params": {params!r}}},
)
source = aep.SourceConnection(
    "web",
    base_connection_id=base.id,
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    data={{"format": "json"}},
    params={{"projectId": "1", "timezone": "UTC"}},
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
    "way": "Basic Authentication",
    "params": {"username": "u", "password": SECRET},
}
ZENDESK = {
    "spec": "ZENDESK",
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
    assert set(kept["inputs"]) == {"__provider", "__plan", "__stack"}, "no value of the program, secret or not"

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
