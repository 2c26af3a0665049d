"""`pulumi-aep deploy`: one program, three stacks, three sandboxes."""

import json
import subprocess
from pathlib import Path
from typing import Any

from acceptance.support import Stack
from support.emulator import Emulator

PROGRAM = """\
config = pulumi.Config()
aep.BaseConnection(
    "mixpanel",
    name=config.require("name"),
    connection_spec=aep.ConnectionSpec.MIXPANEL,
    auth={
        "spec_name": "Basic Authentication",
        "params": {"host": "https://data.mixpanel.com", "username": "shop", "password": "pa55-of-deploy"},
    },
)
"""


def deploy(stack: Stack, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `pulumi-aep deploy`."""
    done = subprocess.run(
        ["pulumi-aep", "deploy", *arguments],
        cwd=stack.folder,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "pa55-of-deploy" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def results(output: str) -> dict[str, tuple[str, dict[str, int]]]:
    found: list[dict[str, Any]] = json.loads(output)
    return {each["stack"]: (each["result"], each["changes"]) for each in found}


def test_stack_after_stack(tmp_path: Path, emulator: Emulator) -> None:
    stacks = [Stack(tmp_path, emulator, name) for name in ("dev", "stage", "prod")]
    dev, stage, prod = (stack.create(PROGRAM, stack.name) for stack in stacks)
    for stack in stacks:
        stack.config({"shop:name": f"Mixpanel of {stack.name}"})
    stage.config({"shop:name": None})
    dev.run("stack", "select", "prod")
    made = {"create": 3}  # the stack, its owner, the connection

    # Nothing happens without --yes or in a preview; a wrong name is an error that lists the stacks.
    assert deploy(dev, "--stacks", "dev,prod")[0] == 1
    code, out, _ = deploy(dev, "--stacks", "dev,prod", "--preview", "--json")
    assert (code, results(out)) == (0, {"dev": ("previewed", made), "prod": ("previewed", made)})
    code, _, err = deploy(dev, "--stacks", "dev,qa", "--yes")
    assert code == 3
    assert "there is no stack qa (there are: dev, prod, stage):\n  pulumi stack init qa" in err
    assert deploy(dev, "--yes")[0] == deploy(dev, "--all", "--stacks", "dev", "--yes")[0] == 2
    assert emulator.writes() == []

    # One after the other, in the order given; after a failure no further one starts.
    code, out, err = deploy(dev, "--stacks", "dev,stage,prod", "--yes")
    assert code == 1
    rows = [line.split("   ") for line in out.splitlines()]
    assert [(row[0].strip(), [cell.strip() for cell in row if cell.strip()][1]) for row in rows] == [
        ("STACK", "RESULT"),
        ("dev", "updated"),
        ("stage", "failed"),
        ("prod", "not started"),
    ]
    assert "dev: updated: 3 created" in err
    assert "Missing required configuration variable 'shop:name'" in err
    assert [bool(emulator.objects(name)["BaseConnection"]) for name in ("dev", "stage", "prod")] == [True, False, False]
    (log,) = tmp_path.glob("deploy-logs/*/stage.log")
    assert "Missing required configuration variable 'shop:name'" in log.read_text()

    # All at once; what is as it should be stays so. The user's own selection was never touched.
    stage.config({"shop:name": "Mixpanel of stage"})
    code, out, err = deploy(dev, "--all", "--parallel", "3", "--yes", "--json", "--logs", "logs")
    assert (code, err) == (0, "")
    found = results(out)
    assert found["dev"] == ("unchanged", {"same": 3})
    assert found["prod"] == ("updated", made)
    assert found["stage"] == ("updated", {"create": 2, "same": 1})  # the failed run had recorded the stack
    names = [emulator.objects(name)["BaseConnection"][0]["name"] for name in ("dev", "stage", "prod")]
    assert names == ["Mixpanel of dev", "Mixpanel of stage", "Mixpanel of prod"]
    assert len(list(tmp_path.glob("logs/*/*.log"))) == 3
    assert not any("pa55-of-deploy" in file.read_text() for file in tmp_path.glob("*logs/*/*.log"))
    assert prod.run("stack", "--show-name").strip() == "prod"
