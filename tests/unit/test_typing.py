"""What a type checker says of a program: the arguments are typed dicts, so a mistake shows in the editor."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).parents[1] / "typing" / "mistakes.py"


def test_a_type_checker_finds_each_mistake_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", str(PROGRAM)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(line) for line in re.findall(r"mistakes\.py:(\d+): error:", done.stdout)}
    marked = {number for number, line in enumerate(PROGRAM.read_text().splitlines(), 1) if line.endswith("# error")}
    assert found == marked, done.stdout + done.stderr
