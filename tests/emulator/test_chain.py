"""A correct client makes, reads, changes and deletes the whole Mixpanel chain."""

from support.emulator import Emulator
from support.mixpanel import make_chain


def test_the_whole_chain_is_made(emulator: Emulator) -> None:
    chain = make_chain(emulator)
    assert [found["id"] for found in emulator.objects()["Flow"]] == [chain.flow]
