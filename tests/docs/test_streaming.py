"""The commands of docs/streaming.md, one after the other, in a real shell."""

import subprocess
from pathlib import Path

import pytest

from acceptance.support import Stack, engine
from docs import pages
from support.emulator import Emulator

pytestmark = pytest.mark.acceptance
PAGE = pages.ROOT / "docs" / "streaming.md"


def test_the_commands_of_the_page(tmp_path: Path, emulator: Emulator) -> None:
    engine()
    stack = Stack(tmp_path, emulator, "local")
    (program,) = pages.blocks(PAGE, "python")
    (tmp_path / "__main__.py").write_text(program.text)
    outputs = [
        subprocess.run(
            ["bash", "-ec", block.text],
            cwd=tmp_path,
            env=stack.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        for block in pages.blocks(PAGE, "sh")
    ]
    made, deployed, sent, seen = (done.stdout for done in outputs)
    assert [done.returncode for done in outputs[:3]] == [0, 0, 0], (made, deployed, sent)
    assert '"inletId"' in sent
    (dataset,) = emulator.objects()["Dataset"]
    assert emulator.control("GET", "data").json()["local"][dataset["id"]]["count"] == 2
    assert "amount" in seen, seen
