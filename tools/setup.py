"""Set-up: the virtual environment from requirements.lock and the Pulumi engine. Quick when nothing is to do."""

import hashlib
import shutil
import sys
from pathlib import Path

from tools import engine
from tools.common import LOCAL, ROOT, VENV, locked, main, run, timed

LOCK = ROOT / "requirements.lock"
STAMP = VENV / "made-from"


def virtual_environment() -> None:
    base = f"Python {sys.version_info.major}.{sys.version_info.minor} at {ROOT}\n"
    sources = (LOCK, ROOT / "pyproject.toml", Path(__file__))
    content = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()
    with locked(LOCAL / "setup.lock"):
        made_from = STAMP.read_text() if STAMP.is_file() else ""
        if made_from == base + content:
            return
        with timed("Installing the Python packages of requirements.lock into .venv; about a minute"):
            if not made_from.startswith(base):
                run(sys.executable, "-m", "venv", "--clear", VENV)
            pip = (VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            run(*pip, "--require-hashes", "-r", LOCK)
            run(*pip, "--no-deps", "--no-build-isolation", "-e", ROOT)
            # Pulumi takes any pulumi-* package for one with a plugin to download, unless this file in it says no;
            # older hosts look for it here, where an editable install has nothing.
            site = Path(run(VENV / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
            (site / "pulumi_aep").mkdir(exist_ok=True)
            shutil.copy(ROOT / "provider" / "pulumi_aep" / "pulumi-plugin.json", site / "pulumi_aep")
            STAMP.write_text(base + content)


def set_up() -> None:
    virtual_environment()
    engine.ensure()


if __name__ == "__main__":
    main(set_up)
