"""`pulumi-aep doctor`: what keeps `pulumi up` from working on this machine, with a remedy for each problem."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psutil
import typer

from ..config import FLAGS, VARIABLES, Settings, load
from ..errors import AepError, ConfigError, RequestNotSent, ResponseLost
from ._output import Json, console, plural, print_json
from ._session import Session, Stack, project, project_folder, run_pulumi

Verdict = Literal["ok", "warn", "fail"]
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
OLDEST_ENGINE = (3, 259)
TOO_OLD = "too old"
TIMEOUT_S = 20.0
MOST_SKEW_S = 60.0
_VERSIONS = (
    "import pulumi_aep, pulumi; from importlib.metadata import version as v; print(v('pulumi-aep'), v('pulumi'))"
)
PLUGINS = {"python": "pulumi-resource-pulumi-python"}
"""Runtime of Pulumi.yaml → what runs the resources of its programs; for every other one it is this package's plugin."""


@dataclass(frozen=True)
class Check:
    """One result, with what to do if it is not ok."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


def doctor(stack: Stack = None, as_json: Json = False) -> None:
    """Find what keeps pulumi up from working.

    Checks engine, settings, credentials, sandbox, permissions and state. Writes nothing. Exit code 1 if a check fails,
    not for warnings.

    \b
    Examples:
      pulumi-aep doctor
      pulumi-aep doctor --stack prod --json
    """
    found = []
    for check in run_checks(Session(stack)):
        found.append(check)
        if not as_json:
            _show(check)
    if as_json:
        print_json([asdict(check) for check in found])
    if any(check.verdict == "fail" for check in found):
        raise typer.Exit(1)


class _Warning(AepError):
    """A check that does not pass, without keeping `pulumi up` from working."""


def _check(name: str, examine: Callable[[], str]) -> Check:
    """`examine` returns what is ok, or raises an AepError whose remedy starts on its second line."""
    try:
        return Check(name, "ok", examine())
    except AepError as error:
        text, _, remedy = str(error).partition("\n")
        return Check(name, "warn" if isinstance(error, _Warning) else "fail", text, remedy.replace("\n", " "))


def run_checks(session: Session) -> Iterator[Check]:
    """Every check in turn, except those that need one that failed."""
    yield _check("python", _python)
    yield (engine := _check("engine", _engine))
    if engine.verdict != "fail" or engine.text.endswith(TOO_OLD):
        yield _check(f"{_runtime()} host", _host)
    yield from _check_project(session)
    try:
        settings = load(session.config.get, session.config)
    except ConfigError as error:
        for problem in str(error).splitlines():
            text, _, remedy = problem.partition(": ")
            yield Check("settings", "fail", text, remedy)
        return
    yield Check("settings", "ok", _settings(settings))
    yield from _check_platform(session, settings)


# ---- this machine ----


def _python() -> str:
    about = f"pulumi-aep {version('pulumi-aep')}, Python {sys.version.split()[0]} in {sys.prefix}"
    if sys.prefix == sys.base_prefix:
        raise _Warning(f"{about}: no virtual environment\npython3 -m venv .venv, or make setup")
    return about


def _engine() -> str:
    found, sdk = shutil.which("pulumi"), version("pulumi")
    if not found:
        raise ConfigError('no pulumi on PATH\ninstall Pulumi, or in a checkout: eval "$(make -s env)"')
    result = run_pulumi("version")
    engine = result.stdout.strip().lstrip("v")
    if result.returncode or not _numbers(engine):
        raise ConfigError(f"{found} does not run: {_reason(result)}\nreinstall Pulumi")
    about = f"pulumi {engine} in {found}, SDK {sdk}"
    if _numbers(engine) < OLDEST_ENGINE:
        oldest = ".".join(map(str, OLDEST_ENGINE))
        raise ConfigError(f"{about}: {TOO_OLD}\ninstall Pulumi {oldest} or newer")
    if _numbers(engine)[:2] < _numbers(sdk)[:2]:
        raise _Warning(f"{about}: older than the SDK\ninstall Pulumi {sdk} or newer")
    return about


def _runtime() -> str:
    """The language of the project's program."""
    named = project().get("runtime")
    return str(named.get("name") if isinstance(named, dict) else named or "python")


def _host() -> str:
    folder = Path(shutil.which("pulumi") or "").resolve().parent
    path = os.pathsep.join((str(folder), os.environ.get("PATH", "")))
    runtime = _runtime()
    host, plugin = f"pulumi-language-{runtime}", PLUGINS.get(runtime, "pulumi-resource-aep")
    if missing := " and ".join(name for name in (host, plugin) if not shutil.which(name, path=path)):
        remedy = (
            "reinstall Pulumi: both come with it"
            if runtime in PLUGINS
            else "install Pulumi, and pip install pulumi-aep"
        )
        raise ConfigError(f"{missing} missing beside pulumi and on PATH\n{remedy}")
    return f"{host} and {plugin} found"


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


# ---- project, stack and state ----


def _check_project(session: Session) -> Iterator[Check]:
    if (folder := project_folder()) is None:
        remedy = "go to a folder with a Pulumi.yaml, or create one with pulumi new"
        yield Check("project", "warn", "no Pulumi.yaml here or above: settings come from the environment alone", remedy)
        return
    yield Check("project", "ok", str(folder / "Pulumi.yaml"))
    if _runtime() == "python":
        yield from _check_environment(folder)
    if shutil.which("pulumi"):
        yield (stack := _check("stack", lambda: _stack(session)))
        if stack.verdict == "ok":
            yield _check("lock", lambda: _lock(stack.text))
            yield _check("state", lambda: _state(session))


def _check_environment(folder: Path) -> Iterator[Check]:
    """The Python that the engine runs, from Pulumi.yaml or else from PATH, needs this package."""
    main, runtime = project().get("main"), project().get("runtime")
    virtualenv = (runtime.get("options") or {}).get("virtualenv") if isinstance(runtime, dict) else None
    if virtualenv and main and (folder / virtualenv).exists() and not (folder / main / virtualenv).exists():
        problem = f"{main}/{virtualenv} is missing: the official Pulumi looks there to run dynamic resources"
        yield Check("environment", "warn", problem, f"ln -s ../{virtualenv} {main}/{virtualenv}")
    if virtualenv:
        python = next((folder / virtualenv).glob("bin/python"), folder / virtualenv / "Scripts/python.exe")
    else:
        python = Path(shutil.which("python3") or shutil.which("python") or "python3")
    yield _check("environment", lambda: _environment(python))


def _environment(python: Path) -> str:
    try:
        command = [str(python), "-c", _VERSIONS]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        raise ConfigError(f"Pulumi runs {python}, which does not exist\nmake setup, or pip install") from None
    if done.returncode:
        remedy = f"{python} -m pip install pulumi-aep, or name another virtualenv in Pulumi.yaml"
        raise ConfigError(f"Pulumi runs {python}, which has no pulumi_aep\n{remedy}")
    package, sdk = done.stdout.split()
    about = f"Pulumi runs {python}, which has pulumi-aep {package} and the SDK {sdk}"
    if package != version("pulumi-aep"):
        raise _Warning(f"{about}: this command is {version('pulumi-aep')}\nrun pulumi-aep of that environment")
    oldest, newest = (_numbers(bound) for bound in re.findall(r"[\d.]+", _sdk_bounds()))
    if not oldest <= _numbers(sdk)[:2] < newest:
        raise _Warning(f"{about}: not tested with this SDK\n{python} -m pip install 'pulumi{_sdk_bounds()}'")
    engine = run_pulumi("version").stdout.strip().lstrip("v") if shutil.which("pulumi") else ""
    if sdk != version("pulumi") and (0,) < _numbers(engine)[:2] < _numbers(sdk)[:2]:  # the row "engine" says it of ours
        raise _Warning(f"{about}: newer than the engine {engine}\ninstall Pulumi {sdk} or newer")
    return about


def _sdk_bounds() -> str:
    """The versions of the SDK that this package allows, the oldest first: `>=3.259,<3.273`."""
    wanted = next(each for each in requires("pulumi-aep") or [] if re.match(r"pulumi\b[^-]", each))
    return ",".join(sorted(wanted.removeprefix("pulumi").split(","), reverse=True))


def _stack(session: Session) -> str:
    name = run_pulumi("stack", "--show-name", stack=session.stack)
    if name.returncode:
        raise ConfigError(f"{_reason(name)}\npulumi login, pulumi stack init NAME or pulumi stack select NAME")
    config = run_pulumi("config", "--json", "--show-secrets", stack=session.stack)
    if config.returncode:
        remedy = "set PULUMI_CONFIG_PASSPHRASE, or log in to the stack's secrets provider"
        raise ConfigError(f"cannot read the config of {name.stdout.strip()}: {_reason(config)}\n{remedy}")
    return name.stdout.strip()


def _lock(stack: str) -> str:
    """The locks of a file backend; the others keep theirs to themselves."""
    about = run_pulumi("whoami", "--json")
    url = urlsplit(str(json.loads(about.stdout or "{}").get("url"))) if about.returncode == 0 else None
    if not url or url.scheme != "file":
        return "only a file backend shows its locks"
    for file in Path(url.path).glob(f".pulumi/locks/**/{stack.rpartition('/')[2]}/*.json"):
        lock = json.loads(file.read_text() or "{}")
        who = f"process {lock.get('pid')} of {lock.get('username')} on {lock.get('hostname')}"
        if lock.get("hostname") != platform.node():
            raise ConfigError(f"locked by {who}\nwait for its end; if it was killed: pulumi-aep recover")
        if psutil.pid_exists(int(lock.get("pid") or 0)):
            raise _Warning(f"locked by {who}, which is running\nwait for its end")
        raise ConfigError(f"locked by {who}, which was killed\npulumi-aep recover, or pulumi cancel")
    return "none"


def _state(session: Session) -> str:
    if pending := session.state.get("pending_operations"):
        count = plural(len(pending), "pending operation")
        raise _Warning(f"{count} of an update that was killed\npulumi-aep recover")
    if not session.resources:
        return "nothing deployed yet"
    count = plural(len(session.resources), "resource")
    if session.owner:
        return f"{count} of owner {session.owner.id}"
    raise _Warning(f"{count} but no owner: objects of an interrupted run cannot be found again\npulumi up creates it")


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return lines[0].removeprefix("error: ") if lines else f"exit code {result.returncode}"


# ---- settings and services ----


def _settings(settings: Settings) -> str:
    variables = [variable for key, variable in VARIABLES.items() if os.environ.get(variable) and key not in FLAGS]
    source = f" (from the environment: {', '.join(variables)})" if variables else ""
    return f"client {settings.client_id} of {settings.org_id}, secret set, {settings.endpoint}{source}"


def _check_platform(session: Session, settings: Settings) -> Iterator[Check]:
    from ..client.http import time_limit

    client = session.client

    def check(name: str, examine: Callable[[], str]) -> Check:
        with time_limit(TIMEOUT_S, tries=1):
            return _check(name, examine)

    reached = check("reachability", lambda: _clock(settings, client.clock_ahead()))
    if reached.verdict == "fail":
        if settings.endpoint.startswith("http://"):  # only this machine may be reached without TLS
            reached = replace(reached, remedy="start the emulator: make up, or pulumi-aep emulator")
        elif reached.remedy in ("", RequestNotSent.remedy, ResponseLost.remedy):
            reached = replace(reached, remedy="check network, proxy (HTTPS_PROXY) and firewall")
    yield reached
    if reached.verdict == "fail":
        return
    yield (token := check("token", lambda: _token(settings, client)))
    if token.verdict == "fail":
        return
    yield (sandbox := check("sandbox", lambda: _sandbox(settings, [*client.sandboxes.find()])))
    if sandbox.verdict == "fail" and sandbox.text.startswith(settings.sandbox):
        return  # all services would report the same
    tenant_id = client.schema_registry.tenant_id
    yield check("organization", lambda: f"{settings.org_id}, namespace _{tenant_id()}")
    for key, setting, wanted in (("sandbox", "sandbox", settings.sandbox), ("org_id", "orgId", settings.org_id)):
        if others := sorted({str(each.outputs[key]) for each in session.resources if each.outputs.get(key)} - {wanted}):
            text = f"this stack's objects live in {', '.join(others)}, but the settings say {wanted}"
            yield Check("home", "fail", text, f"restore aep:{setting}, or create another stack: pulumi stack init …")
    collections: dict[str, Any] = {
        "Flow Service": client.flow_service.connections,
        "Schema Registry": client.schema_registry.schemas,
        "Catalog": client.catalog.datasets,
        "Data Prep": client.data_prep.mapping_sets,
    }
    for name, collection in collections.items():
        yield check(name, partial(_readable, collection, settings.sandbox))


def _readable(collection: Any, sandbox: str) -> str:
    next(collection.find(), None)
    return f"readable in {sandbox}"


def _token(settings: Settings, client: Any) -> str:
    client.sign_in()
    return f"IMS issues one for {settings.client_id}"


def _clock(settings: Settings, ahead: float | None) -> str:
    host = settings.endpoint.split("/")[2]
    if ahead is not None and abs(ahead) > MOST_SKEW_S:
        text = f"{host} answers, but this machine's clock is {abs(ahead):.0f} s {'fast' if ahead > 0 else 'slow'}"
        raise _Warning(f"{text}\nsynchronize the clock (NTP): start times of flows depend on it")
    return f"{host} answers{', and the clocks agree' if ahead is not None else ''}"


def _sandbox(settings: Settings, found: list[dict[str, Any]]) -> str:
    known = {item["name"]: item for item in found}
    item = known.get(settings.sandbox)
    if item is None:
        text = f"{settings.sandbox} does not exist or is not open to this credential"
        names = f"open: {', '.join(sorted(known))}"
        hint = names if known else "none is open: add the credential to a product profile"
        raise ConfigError(f"{text}\ncheck aep:sandbox; {hint}")
    about = f"{item['name']} ({item['title']}), {item['type']}, {item['state']}"
    if item["state"] != "active":
        raise ConfigError(f"{about}\nwait until it is active, or use another one")
    if item["type"] == "production" and not settings.allow_production_deletes:
        about += ": deletes and replacements are refused unless aep:allowProductionDeletes is set"
    return about


def _show(check: Check) -> None:
    out, mark = console(), typer.style(f"{check.verdict:<5}", fg=COLOURS[check.verdict])
    typer.echo(f"{mark} {check.name:<16} {check.text}", color=bool(out.color_system) and not out.no_color)
    if check.remedy and check.verdict != "ok":
        typer.echo(f"{'':<22} > {check.remedy}")
