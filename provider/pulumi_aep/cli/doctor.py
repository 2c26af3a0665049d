"""`pulumi-aep doctor`: what keeps `pulumi up` from working on this machine, with a remedy for each problem."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import typer

from ..config import FLAGS, VARIABLES, Settings, load
from ..errors import AepError, ConfigError, RequestNotSent, ResponseLost
from ._output import Json, coloured, console, plural, print_json
from ._session import Session, Stack, project_folder, run_pulumi

Verdict = Literal["ok", "warn", "fail"]
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
OLDEST_ENGINE = (3, 259)
TIMEOUT_S = 20.0
MOST_SKEW_S = 60.0
HOST, PLUGIN = "pulumi-language-python", "pulumi-resource-pulumi-python"


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


def run_checks(session: Session) -> Iterator[Check]:
    """Every check in turn, except those that need one that failed."""
    yield _python()
    yield from _engine()
    yield from _project(session)
    try:
        settings = load(session.config.get)
    except ConfigError as error:
        for problem in str(error).splitlines():
            text, _, remedy = problem.partition(": ")
            yield Check("settings", "fail", text, remedy)
        return
    except AepError as error:
        yield _failed("settings", error)
        return
    yield _settings(settings)
    yield from _platform(session, settings)


def _failed(name: str, error: AepError, remedy: str = "") -> Check:
    """The remedy of an AepError starts on its second line."""
    text, _, own = str(error).partition("\n")
    return Check(name, "fail", text, remedy or own.replace("\n", " "))


# ---- this machine ----


def _python() -> Check:
    about = f"pulumi-aep {version('pulumi-aep')}, Python {sys.version.split()[0]} in {sys.prefix}"
    if sys.prefix == sys.base_prefix:
        return Check("python", "warn", f"{about}: no virtual environment", "python3 -m venv .venv, or make setup")
    return Check("python", "ok", about)


def _engine() -> Iterator[Check]:
    found, sdk = shutil.which("pulumi"), version("pulumi")
    if not found:
        remedy = 'install Pulumi, or in a checkout: eval "$(make -s env)"'
        yield Check("engine", "fail", "no pulumi on PATH", remedy)
        return
    result = run_pulumi("version")
    engine = result.stdout.strip().lstrip("v")
    if result.returncode or not _numbers(engine):
        yield Check("engine", "fail", f"{found} does not run: {_reason(result)}", "reinstall Pulumi")
        return
    about = f"pulumi {engine} in {found}, SDK {sdk}"
    if _numbers(engine) < OLDEST_ENGINE:
        oldest = ".".join(map(str, OLDEST_ENGINE))
        yield Check("engine", "fail", f"{about}: too old", f"install Pulumi {oldest} or newer")
    elif _numbers(engine)[:2] < _numbers(sdk)[:2]:
        yield Check("engine", "warn", f"{about}: older than the SDK", f"install Pulumi {sdk} or newer")
    else:
        yield Check("engine", "ok", about)
    beside = os.pathsep.join((str(Path(found).resolve().parent), os.environ.get("PATH", "")))
    missing = [name for name in (HOST, PLUGIN) if not shutil.which(name, path=beside)]
    if missing:
        text = f"{' and '.join(missing)} missing beside pulumi and on PATH"
        yield Check("python host", "fail", text, "reinstall Pulumi: both come with it")
    else:
        yield Check("python host", "ok", f"{HOST} and {PLUGIN} found")


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


# ---- project, stack and state ----


def _project(session: Session) -> Iterator[Check]:
    folder = project_folder()
    if folder is None:
        remedy = "go to a folder with a Pulumi.yaml, or create one with pulumi new"
        yield Check("project", "warn", "no Pulumi.yaml here or above: settings come from the environment alone", remedy)
        return
    yield Check("project", "ok", str(folder / "Pulumi.yaml"))
    yield from _environment(folder)
    if not shutil.which("pulumi"):
        return
    chosen = ("--stack", session.stack) if session.stack else ()
    name = run_pulumi("stack", "--show-name", *chosen)
    if name.returncode:
        remedy = "pulumi login, pulumi stack init NAME or pulumi stack select NAME"
        yield Check("stack", "fail", _reason(name), remedy)
        return
    config = run_pulumi("config", "--json", "--show-secrets", *chosen)
    if config.returncode:
        remedy = "set PULUMI_CONFIG_PASSPHRASE, or log in to the stack's secrets provider"
        yield Check("stack", "fail", f"cannot read the config of {name.stdout.strip()}: {_reason(config)}", remedy)
        return
    yield Check("stack", "ok", name.stdout.strip())
    yield from _state(session)


def _environment(folder: Path) -> Iterator[Check]:
    """The Python that the engine runs, from Pulumi.yaml or else from PATH, needs this package."""
    text = (folder / "Pulumi.yaml").read_text()
    named = re.search(r"^\s+virtualenv:\s*[\"']?([^\"'\s#]+)", text, re.MULTILINE)
    if named:
        python = next(iter((folder / named[1]).glob("bin/python")), None) or folder / named[1] / "Scripts/python.exe"
    else:
        python = Path(shutil.which("python3") or shutil.which("python") or "python3")
    script = "import pulumi_aep, pulumi, sys; print(sys.prefix)"
    try:
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        yield Check("environment", "fail", f"Pulumi runs {python}, which does not exist", "make setup, or pip install")
        return
    main = re.search(r"^main:\s*[\"']?([^\"'\s#]+)", text, re.MULTILINE)
    if named and main and not (folder / main[1] / named[1]).exists():
        problem = f"{main[1]}/{named[1]} is missing: the official Pulumi looks there to run dynamic resources"
        yield Check("environment", "warn", problem, f"ln -s ../{named[1]} {main[1]}/{named[1]}")
    if done.returncode:
        remedy = f"{python} -m pip install pulumi-aep, or name another virtualenv in Pulumi.yaml"
        yield Check("environment", "fail", f"Pulumi runs {python}, which has no pulumi_aep", remedy)
    else:
        yield Check("environment", "ok", f"Pulumi runs {python}, which has pulumi_aep")


def _state(session: Session) -> Iterator[Check]:
    count = plural(len(session.resources), "resource")
    pending = session.state.get("pending_operations") or []
    if pending:
        text = f"{plural(len(pending), 'pending operation')} of an update that was killed"
        yield Check("state", "warn", text, "pulumi-aep recover")
    elif not session.resources:
        yield Check("state", "ok", "nothing deployed yet")
    elif not session.owner:
        text = f"{count} but no owner: objects of an interrupted run cannot be found again"
        yield Check("state", "warn", text, "pulumi up creates it")
    else:
        yield Check("state", "ok", f"{count} of owner {session.owner.id}")


def _scope(session: Session, settings: Settings) -> Iterator[Check]:
    """A stack belongs to one sandbox of one organization."""
    for key, setting, wanted in (("sandbox", "sandbox", settings.sandbox), ("org_id", "orgId", settings.org_id)):
        others = sorted({str(each.outputs[key]) for each in session.resources if each.outputs.get(key)} - {wanted})
        if others:
            text = f"this stack's objects live in {', '.join(others)}, but the settings say {wanted}"
            yield Check("home", "fail", text, f"restore aep:{setting}, or create another stack: pulumi stack init …")


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return lines[0].removeprefix("error: ") if lines else f"exit code {result.returncode}"


# ---- settings and services ----


def _settings(settings: Settings) -> Check:
    variables = [variable for key, variable in VARIABLES.items() if os.environ.get(variable) and key not in FLAGS]
    source = f" (from the environment: {', '.join(variables)})" if variables else ""
    about = f"client {settings.client_id} of {settings.org_id}, secret set, {settings.endpoint}{source}"
    return Check("settings", "ok", about)


def _platform(session: Session, settings: Settings) -> Iterator[Check]:
    from ..client.http import time_limit

    client = session.client
    local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])", settings.endpoint)
    start = "start the emulator: make up, or pulumi-aep emulator" if local else ""

    def attempt(name: str, call: Callable[[], Any], success: Callable[[Any], Check]) -> Check:
        with time_limit(TIMEOUT_S, tries=1):
            try:
                return success(call())
            except AepError as error:
                return _failed(name, error)

    reached = attempt("reachability", client.clock_ahead, lambda ahead: _clock(settings, ahead))
    if reached.verdict == "fail":
        general = reached.remedy in ("", RequestNotSent.remedy, ResponseLost.remedy)
        network = "check network, proxy (HTTPS_PROXY) and firewall" if general else reached.remedy
        yield Check(reached.name, "fail", reached.text, start or network)
        return
    yield reached
    token = attempt("token", client.sign_in, lambda _: Check("token", "ok", f"IMS issues one for {settings.client_id}"))
    yield token
    if token.verdict == "fail":
        return
    sandbox = attempt("sandbox", lambda: list(client.sandboxes.find()), lambda found: _sandbox(settings, found))
    yield sandbox
    if sandbox.verdict == "fail" and sandbox.text.startswith(settings.sandbox):
        return  # all services would report the same
    yield attempt(
        "organization",
        client.schema_registry.tenant_id,
        lambda tenant: Check("organization", "ok", f"{settings.org_id}, namespace _{tenant}"),
    )
    yield from _scope(session, settings)
    for name, collection in {
        "Flow Service": client.flow_service.connections,
        "Schema Registry": client.schema_registry.schemas,
        "Catalog": client.catalog.datasets,
        "Data Prep": client.data_prep.mapping_sets,
    }.items():
        yield attempt(
            name,
            lambda of=collection: next(iter(of.find()), None),  # type: ignore[misc]
            lambda _, of=name: Check(of, "ok", f"readable in {settings.sandbox}"),  # type: ignore[misc]
        )


def _clock(settings: Settings, ahead: float | None) -> Check:
    host = settings.endpoint.split("/")[2]
    if ahead is not None and abs(ahead) > MOST_SKEW_S:
        way = "fast" if ahead > 0 else "slow"
        text = f"{host} answers, but this machine's clock is {abs(ahead):.0f} s {way}"
        return Check("reachability", "warn", text, "synchronize the clock (NTP): start times of flows depend on it")
    return Check("reachability", "ok", f"{host} answers{', and the clocks agree' if ahead is not None else ''}")


def _sandbox(settings: Settings, found: list[dict[str, Any]]) -> Check:
    known = {item["name"]: item for item in found}
    item = known.get(settings.sandbox)
    if item is None:
        text = f"{settings.sandbox} does not exist or is not open to this credential"
        visible = (
            f"open: {', '.join(sorted(known))}" if known else "none is open: add the credential to a product profile"
        )
        return Check("sandbox", "fail", text, f"check aep:sandbox; {visible}")
    about = f"{item['name']} ({item['title']}), {item['type']}, {item['state']}"
    if item["state"] != "active":
        return Check("sandbox", "fail", about, "wait until it is active, or use another one")
    if item["type"] == "production" and not settings.allow_production_deletes:
        about += ": deletes and replacements are refused unless aep:allowProductionDeletes is set"
    return Check("sandbox", "ok", about)


def _show(check: Check) -> None:
    mark = coloured(f"{check.verdict:<5}", COLOURS[check.verdict])
    typer.echo(f"{mark} {check.name:<16} {check.text}", color=console().is_terminal)
    if check.remedy and check.verdict != "ok":
        typer.echo(f"{'':<22} > {check.remedy}")
