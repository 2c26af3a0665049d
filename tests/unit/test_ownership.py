"""What needs no service: the identity of a state."""

import re

import yaml

from pulumi_aep.engine.ownership import new_state_id


def test_yaml_never_reads_an_identity_as_a_number() -> None:
    """People write `aep:ownerId` into the stack's config by hand."""
    found = {new_state_id() for _ in range(2000)}
    assert len(found) == 2000
    assert all(re.fullmatch("[a-f][0-9a-f]{11}", each) for each in found)
    assert all(isinstance(yaml.safe_load(each), str) for each in found)
