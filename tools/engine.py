"""The Pulumi engine: the one on PATH, else the official installer's, else one built from its published Go modules.

The last two are kept outside the checkout, in a folder per version, so that only the first set-up on a machine waits.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.common import ROOT, VENV, Stop, locked, run, say, timed

VERSION = "3.259.0"  # the release of the SDK in requirements.lock and of the modules in tools/engine
GO = "1.25.11"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulumi-aep" / "engine"
FETCHED = CACHE / VERSION / "bin"

PROBE = "import urllib.request; urllib.request.urlopen('https://get.pulumi.com/install.sh', timeout=4)"
INSTALL = f"""
import sys, semver, pulumi.automation
pulumi.automation.PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse("{VERSION}"))
"""


def ensure() -> None:
    """Make sure that there is an engine. Needs the virtual environment: the SDK in it knows the official installer."""
    if own_cli() or FETCHED.is_dir():
        return
    with locked(CACHE / f"{VERSION}.lock"):
        if FETCHED.is_dir():
            return
        partial = CACHE / f"{VERSION}.partial"
        for way in (install, build):
            shutil.rmtree(partial, ignore_errors=True)
            if way(partial):
                partial.rename(CACHE / VERSION)
                return
    raise Stop(
        f"No Pulumi engine: there is no complete `pulumi` {VERSION} or newer on PATH, the official installer cannot be "
        f"used from here, and no Go {GO} or newer can build it here. Install Pulumi or Go, then run this again."
    )


def path() -> str:
    """PATH with the virtual environment and the engine in front."""
    return os.pathsep.join(map(str, (VENV / "bin", *(() if own_cli() else (FETCHED,)), outer_path())))


def outer_path() -> str:
    """PATH without what `path()` adds to it."""
    ours = (str(CACHE), str(VENV))
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if not part.startswith(ours))


def own_cli() -> Path | None:
    """The user's own `pulumi`, if its Python host is there too and it is new enough."""
    found = shutil.which("pulumi", path=outer_path())
    if not found:
        return None
    beside = str(Path(found).resolve().parent)
    if not shutil.which("pulumi-language-python", path=os.pathsep.join((beside, outer_path()))):
        return None
    try:
        answer = run(found, "version", env={"PULUMI_SKIP_UPDATE_CHECK": "true"})
    except Stop:
        return None
    return Path(found) if numbers(answer) >= numbers(VERSION) else None


def numbers(text: str) -> tuple[int, ...]:
    """The first version in a text, as (3, 259, 0)."""
    match = re.search(r"\d+(\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def install(folder: Path) -> bool:
    """Pulumi's official installer, as the SDK runs it; False where its host is out of reach."""
    python = VENV / "bin" / "python"
    try:
        subprocess.run([python, "-c", PROBE], capture_output=True, timeout=6, check=True)
        with timed(f"Installing the Pulumi engine {VERSION}; about a minute, once per machine"):
            subprocess.run([python, "-c", INSTALL, folder], capture_output=True, timeout=900, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        say("Pulumi's official installer cannot be used from here.")
        return False
    return True


def build(folder: Path) -> bool:
    """Compile the CLI and its Python host; False without a Go that can, or without its modules."""
    if not shutil.which("go") or numbers(run("go", "env", "GOVERSION")) < numbers(GO):
        return False
    try:
        with timed(f"Building the Pulumi engine {VERSION} from source; about 6 minutes, once per machine"):
            compile_all(folder / "bin")
    except Stop as failure:
        say(str(failure))
        return False
    return True


def compile_all(target: Path) -> None:
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    go_build("cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", target, stamp)
    go_build("host", "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python", target)
    sdk = go("cli", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3")
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        copy = shutil.copyfile(Path(sdk, "python", script), target / Path(script).name)
        copy.chmod(0o755)


def go_build(module: str, package: str, target: Path, stamp: str = "") -> None:
    go(module, "build", "-trimpath", "-ldflags", f"-s -w {stamp}", "-o", f"{target}/", package)


def go(module: str, *arguments: str) -> str:
    return run("go", *arguments, cwd=ROOT / "tools" / "engine" / module, env={"CGO_ENABLED": "0", "GOWORK": "off"})


if __name__ == "__main__":
    say(path())
