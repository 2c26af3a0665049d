"""The Pulumi engine: the one on PATH, or else from the official installer, or else built from its Go modules.

The last two are kept outside the checkout, in a folder per version, so only the first set-up on a machine is slow. What
is built can run programs in Python and YAML. Its Python host is tools/engine/pulumi-language-python.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.common import ROOT, VENV, Stop, locked, run, say, timed

VERSION = "3.259.0"  # also the SDK in requirements.lock and the modules in tools/engine
GO = "1.25.11"

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulumi-aep" / "engine"
MODULES = ROOT / "tools" / "engine"
_SOURCES = b"".join((MODULES / name).read_bytes() for name in ("go.sum", "pulumi-language-python/main.go"))
FETCHED = CACHE / f"{VERSION}-{hashlib.sha256(_SOURCES).hexdigest()[:8]}" / "bin"
"""Other sources are another engine: a folder that an older checkout has built lacks what this one builds."""

PROBE = "import urllib.request; urllib.request.urlopen('https://get.pulumi.com/install.sh', timeout=4)"
INSTALL = f"""
import sys, semver, pulumi.automation
pulumi.automation.PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse("{VERSION}"))
"""


def ensure() -> None:
    """Make sure that there is an engine. Needs the virtual environment, whose SDK runs the official installer."""
    if own_cli() or FETCHED.is_dir():
        return
    with locked(CACHE / f"{VERSION}.lock"):
        if FETCHED.is_dir():
            return
        partial = CACHE / f"{VERSION}.partial"
        for get in (install, build):
            shutil.rmtree(partial, ignore_errors=True)
            if get(partial):
                partial.rename(FETCHED.parent)
                return
    raise Stop(
        f"No Pulumi engine: PATH has no complete `pulumi` {VERSION} or newer, the official installer does not work "
        f"from here, and there is no Go {GO} or newer to build it. Install Pulumi or Go, then run this again."
    )


def path() -> str:
    """Return PATH with the virtual environment and the engine in front."""
    return os.pathsep.join(map(str, (VENV / "bin", *(() if own_cli() else (FETCHED,)), outer_path())))


def outer_path() -> str:
    """Return PATH without what `path()` adds to it."""
    ours = (str(CACHE), str(VENV))
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if not part.startswith(ours))


def own_cli() -> Path | None:
    """Find the user's own `pulumi`, if it has its Python host and is new enough."""
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
    return Path(found) if version(answer) >= version(VERSION) else None


def version(text: str) -> tuple[int, ...]:
    """Return the first version in a text, as (3, 259, 0)."""
    match = re.search(r"\d+(\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


def install(folder: Path) -> bool:
    """Run Pulumi's official installer the way the SDK does; False if it does not work from here."""
    python = VENV / "bin" / "python"
    try:
        subprocess.run([python, "-c", PROBE], capture_output=True, timeout=6, check=True)
        with timed(f"Installing the Pulumi engine {VERSION}; about a minute, once per machine"):
            subprocess.run([python, "-c", INSTALL, folder], capture_output=True, timeout=900, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        say("Pulumi's official installer does not work from here.")
        return False
    return True


def build(folder: Path) -> bool:
    """Compile the CLI and its language hosts; False if Go is missing or too old, or the build fails."""
    if not shutil.which("go") or version(run("go", "env", "GOVERSION")) < version(GO):
        return False
    try:
        with timed(f"Building the Pulumi engine {VERSION} from source; about 7 minutes, once per machine"):
            compile_all(folder / "bin")
    except Stop as failure:
        say(str(failure))
        return False
    return True


def compile_all(target: Path) -> None:
    go_build("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", target)
    go_build("./pulumi-language-python", target)
    sdk = go("list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3")
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        copy = shutil.copyfile(Path(sdk, "python", script), target / Path(script).name)
        copy.chmod(0o755)
    try:
        go_build("github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml", target)
    except Stop as failure:
        say(f"{failure}\nNo host for YAML programs: their tests are skipped.")


def go_build(package: str, target: Path) -> None:
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
    go("build", "-trimpath", "-ldflags", f"-s -w {stamp}", "-o", f"{target}/", package)


def go(*arguments: str) -> str:
    return run("go", *arguments, cwd=MODULES, env={"CGO_ENABLED": "0", "GOWORK": "off"})


if __name__ == "__main__":
    say(path())
