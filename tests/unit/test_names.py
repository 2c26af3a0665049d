"""The public names of the package: each is there, and imported only when it is used."""

import importlib
import subprocess
import sys

import pytest

import pulumi_aep


def test_every_public_name_is_there_under_its_own_name() -> None:
    for name in vars(pulumi_aep)["__all__"]:
        assert getattr(pulumi_aep, name).__name__ == name
    assert set(vars(pulumi_aep)["__all__"]) <= set(dir(pulumi_aep))
    namespace: dict[str, object] = {}
    exec("from pulumi_aep import *", namespace)
    assert set(vars(pulumi_aep)["__all__"]) <= set(namespace)


def test_a_name_is_the_same_thing_in_its_module() -> None:
    for name, module in (("Flow", "flow"), ("Schedule", "_schedule")):
        assert getattr(pulumi_aep, name) is getattr(importlib.import_module(f"pulumi_aep.resources.{module}"), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    name = "Flows"
    with pytest.raises(AttributeError, match="No pulumi_aep attribute Flows"):
        getattr(pulumi_aep, name)


def test_to_import_the_package_does_not_import_pulumi() -> None:
    script = "import sys, pulumi_aep; print('pulumi' in sys.modules); pulumi_aep.Flow; print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\nTrue\n"
