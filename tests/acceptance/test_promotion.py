"""docs/promotion.md, done: an old sandbox is exported, and its flows go to two more by the workflow's own commands."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from acceptance.support import environment, pulumi_aep, writes
from docs import pages
from support.emulator import Emulator
from support.mixpanel import make_chain

FILE = pages.ROOT / "docs" / "promotion" / "dataflows.yml"
PAGE = pages.ROOT / "docs" / "promotion.md"
STACKS = ["dev", "stage", "prod"]

Job = dict[str, Any]


def workflow() -> dict[str, Any]:
    content: dict[Any, Any] = yaml.safe_load(FILE.read_text())
    content["on"] = content.pop(True)  # YAML 1.1 reads the key `on` as a boolean; GitHub does not
    return content


def commands(job: Job) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_a_pull_request_is_previewed_and_a_merge_goes_up_sandbox_by_sandbox() -> None:
    content = workflow()
    assert content["on"] == {"pull_request": None, "push": {"branches": ["main"]}}
    jobs: dict[str, Job] = content["jobs"]
    assert list(jobs) == ["preview", *STACKS]
    preview = jobs["preview"]
    assert preview["if"] == "github.event_name == 'pull_request'"
    assert preview["strategy"]["matrix"] == {"stack": STACKS}
    assert not any(" up " in command for command in commands(preview))
    assert jobs["dev"]["if"] == "github.event_name == 'push'", "the others need it, so they are left out with it"
    assert [jobs[name].get("needs") for name in STACKS] == [None, "dev", "stage"]
    for name in STACKS:
        assert (jobs[name]["environment"], jobs[name]["concurrency"]) == (name, name)
        assert f"pulumi up --stack {name} --yes --non-interactive" in commands(jobs[name])
    for job in jobs.values():
        assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == [
            "actions/checkout",
            "actions/setup-python",
            "pulumi/actions",
        ]
        assert commands(job)[0] == "pip install -r requirements.txt"
    assert "${{ secrets." not in re.sub(r"PULUMI_CONFIG_PASSPHRASE: .*", "", FILE.read_text())


@pytest.fixture
def project(tmp_path: Path, emulator: Emulator) -> Path:
    """The export of sandbox `dev`, with a stack for each sandbox as the page makes them."""
    make_chain(emulator, "dev")
    pulumi_aep(emulator, tmp_path, "export", "--all", "--as-program", "flows", sandbox="dev")
    (block,) = pages.blocks(PAGE, "sh")
    script = block.text.replace("web-shop-password", "mixpanel-base-connection-password")
    # without a terminal, each command reads the whole input
    shell(tmp_path, emulator, re.sub("(?m)^(.*--secret.*)$", r"echo canary-of-promotion | \1", script))
    return tmp_path / "flows"


def shell(folder: Path, emulator: Emulator, script: str) -> str:
    """The output of a script that must succeed, as a runner of CI starts it."""
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=environment(folder.parent if folder.name == "flows" else folder, emulator),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def test_the_commands_of_the_workflow(project: Path, emulator: Emulator) -> None:
    jobs = workflow()["jobs"]
    emulator.clear_journal()
    for command in commands(jobs["preview"]):
        text = shell(project, emulator, command.replace("${{ matrix.stack }}", "stage"))
    assert "+ 11 to create" in text
    assert writes(emulator) == []

    for name in STACKS:
        emulator.clear_journal()
        for command in commands(jobs[name]):
            text = shell(project, emulator, command)
        verbs = {call.split()[0] for call in writes(emulator)}
        assert verbs == ({"PATCH"} if name == "dev" else {"POST"}), "adopted where it was, made where it was not"
    assert text == "stage and prod hold the same: 7 names\n"
    assert "canary-of-promotion" not in "".join(file.read_text() for file in project.glob("Pulumi.*.yaml"))
    bases = {name: emulator.objects(name)["BaseConnection"] for name in STACKS}
    assert {name: len(found) for name, found in bases.items()} == dict.fromkeys(STACKS, 1)
