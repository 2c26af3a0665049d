"""`pulumi package gen-sdk` for the languages whose programs no other test runs."""

import py_compile
import shutil
from pathlib import Path

import pytest

from acceptance.support import Stack
from acceptance.support_native import needs_host
from support.emulator import Emulator

MADE = {
    "python": "python/pulumi_aep_native/flow.py",
    "go": "go/aep/flow.go",
    "dotnet": "dotnet/Flow.cs",
}
"""A file of each SDK. The Python one has a name of its own, as it would hide this package."""


@pytest.mark.parametrize("language", MADE)
def test_an_sdk(language: str, tmp_path: Path, emulator: Emulator) -> None:
    needs_host(language)
    stack, plugin = Stack(tmp_path, emulator, "dev"), str(shutil.which("pulumi-resource-aep"))
    stack.run("package", "gen-sdk", plugin, "--language", language, "--out", "sdk")
    text = (tmp_path / "sdk" / MADE[language]).read_text()
    assert "aep:index/flow:Flow" in text or "aep:index:Flow" in text
    for file in (tmp_path / "sdk").rglob("*.py"):
        py_compile.compile(str(file), doraise=True)
