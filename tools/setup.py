"""The virtual environments and the Pulumi engine. Quick when there is nothing to do.

`python -m tools.setup` makes .venv from requirements.lock. With `newest` it also makes .venv-newest: the same packages,
but the newest supported Pulumi SDK, which requirements-newest.txt pins.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tools import engine
from tools.common import LOCAL, ROOT, VENV, locked, main, run, timed

LOCK = ROOT / "requirements.lock"
NEWEST_LOCK = ROOT / "requirements-newest.txt"
NEWEST_VENV = ROOT / ".venv-newest"


def virtual_environment() -> None:
    def install() -> None:
        pip(VENV, "install", "--require-hashes", "-r", LOCK)

    ensure(VENV, LOCK, install)


def newest_environment() -> None:
    """A layer over .venv: what it does not have itself, it imports from there."""

    def install() -> None:
        pip(NEWEST_VENV, "install", "--require-hashes", "--no-deps", "-r", NEWEST_LOCK)
        (site_packages(NEWEST_VENV) / "venv.pth").write_text(f"{site_packages(VENV)}\n")
        pip(NEWEST_VENV, "check")  # the SDK may need other packages than the lock has

    ensure(NEWEST_VENV, NEWEST_LOCK, install)


def ensure(venv: Path, lock: Path, install: Callable[[], None]) -> None:
    """Make an environment with this package in place, unless it is made from the same files already."""
    base = f"Python {sys.version_info.major}.{sys.version_info.minor} at {ROOT}\n"
    sources = (LOCK, lock, ROOT / "pyproject.toml", Path(__file__))
    content = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()
    stamp = venv / "made-from"
    with locked(LOCAL / "setup.lock"):
        made_from = stamp.read_text() if stamp.is_file() else ""
        if made_from == base + content:
            return
        with timed(f"Installing the Python packages of {lock.name} into {venv.name}"):
            if not made_from.startswith(base):
                run(sys.executable, "-m", "venv", "--clear", venv)
            install()
            pip(venv, "install", "--no-deps", "--no-build-isolation", "-e", ROOT)
            # Pulumi looks for a plugin to download for each package named pulumi-*, unless this file says that there
            # is none. Older hosts look for it here, where an editable install has nothing.
            (site_packages(venv) / "pulumi_aep").mkdir(exist_ok=True)
            shutil.copy(ROOT / "provider" / "pulumi_aep" / "pulumi-plugin.json", site_packages(venv) / "pulumi_aep")
            stamp.write_text(base + content)


def pip(venv: Path, command: str, *arguments: str | Path) -> None:
    run(venv / "bin" / "python", "-m", "pip", command, "--quiet", "--disable-pip-version-check", *arguments)


def site_packages(venv: Path) -> Path:
    return Path(run(venv / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))


def set_up() -> None:
    virtual_environment()
    engine.ensure()
    if sys.argv[1:] == ["newest"]:
        newest_environment()


if __name__ == "__main__":
    main(set_up)
