"""`make up`, `make down` and `make env` for one stack: `python -m tools.stack VERB STACK PORT`.

A stack whose endpoint is `emulator` keeps everything in .local/PORT; any other uses the user's own backend.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from tools import emulator, engine
from tools.common import LOCAL, ROOT, VENV, Stop, main, say

Variables = dict[str, str | None]  # None means unset


def config_file(stack: str) -> Path:
    return ROOT / "stacks" / f"Pulumi.{stack.rsplit('/')[-1]}.yaml"


def emulator_bound(stack: str) -> bool:
    file = config_file(stack)
    if not file.is_file():
        raise Stop(f"{file.relative_to(ROOT)} does not exist. Copy stacks/Pulumi.dev.yaml to it and edit the copy.")
    try:
        config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    except yaml.YAMLError as error:
        raise Stop(f"{file.relative_to(ROOT)} is not valid YAML: {error}") from None
    return config.get("aep:endpoint", os.environ.get("AEP_ENDPOINT")) == "emulator"


def variables(stack: str, port: int, bound: bool) -> Variables:
    """Return the shell variables of a stack."""
    always: Variables = {"PATH": engine.path(), "VIRTUAL_ENV": str(VENV), "PULUMI_STACK": stack}
    if os.environ.get("AEP_ENDPOINT") == "emulator":
        always["AEP_ENDPOINT"] = "emulator"
    if bound:
        folder = LOCAL / str(port)
        (folder / "state").mkdir(parents=True, exist_ok=True)
        return always | {
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "local",  # this state holds no secrets
            "PULUMI_HOME": f"{folder}/pulumi",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "AEP_EMULATOR_PORT": str(port),
        }
    if not os.environ.get("PULUMI_BACKEND_URL", "").startswith(f"file://{LOCAL}/"):
        return always
    # Set by an earlier `make env` for a local stack in the same shell:
    return always | dict.fromkeys(("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_HOME"))


def pulumi(env: Variables, *arguments: str, capture: bool = False) -> str:
    signal.signal(signal.SIGINT, lambda *_: None)  # Pulumi handles Ctrl-C and stops cleanly
    full = {name: value for name, value in (os.environ | env).items() if value is not None}
    output = subprocess.PIPE if capture else None
    done = subprocess.run(["pulumi", *arguments], cwd=ROOT, env=full, stdout=output, text=True)
    if done.returncode:
        raise Stop(f"Failed, see above: pulumi {' '.join(arguments)}")
    return done.stdout or ""


def up(stack: str, port: int, bound: bool) -> None:
    env = variables(stack, port, bound)
    if bound:
        emulator.start(port)
    pulumi(env, "stack", "select", "--create", stack)
    # For a real sandbox, Pulumi shows the preview first and asks.
    pulumi(env, "up", "--suppress-outputs", *(("--yes", "--skip-preview") if bound else ()))
    outputs = pulumi(env, "stack", "output", "--json", capture=True)
    say(f"Outputs of the stack:\n{outputs}")
    given = (" STACK=" + stack) * (stack != "local") + f" PORT={port}" * (port != 8700)
    connection = next(iter(json.loads(outputs).get("mixpanel") or {}), None)
    say(f"""Next steps:
  eval "$(make -s env{given})"  # sets up this shell for the two below
  pulumi-aep {f"explore {connection}" if connection else "--help"}
  pulumi preview  # after a change in stacks/{config_file(stack).name}""")


def down(stack: str, port: int, bound: bool) -> None:
    """Destroy with the config of today: without --run-program the engine takes that of the last update.

    The emulator goes on after a failure, as its data is what is left to look at.
    """
    env = variables(stack, port, bound)
    if not bound:
        pulumi(env, "destroy", "--run-program")
        return
    if any((LOCAL / str(port) / "state").glob(f".pulumi/stacks/*/{stack}.json")):
        emulator.start(port)
        pulumi(env, "destroy", "--yes", "--skip-preview", "--run-program")
    else:
        say(f"No stack {stack} on port {port}.")
    emulator.stop(port)


def print_variables(stack: str, port: int, bound: bool) -> None:
    for name, value in variables(stack, port, bound).items():
        say(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


def run_verb() -> None:
    name, stack, port = sys.argv[1:]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Stop(f"PORT must be a number from 1 to 65535, not {port!r}")
    {"up": up, "down": down, "env": print_variables}[name](stack, int(port), emulator_bound(stack))


if __name__ == "__main__":
    main(run_verb)
