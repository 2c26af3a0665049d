"""`pulumi-aep doctor`: what stands between this machine and a `pulumi up`, with a remedy for each."""

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

from ..config import FLAGS, VARIABLES, Settings
from ..errors import AepError, ConfigError, RequestNotSent, ResponseLost
from ._output import Json, coloured, console, print_json
from ._session import Session, Stack

Verdict = Literal["ok", "warn", "fail"]
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
OLDEST_ENGINE = (3, 259)
WAIT_S = 20.0
SKEW_S = 60.0
HOST, PLUGIN = "pulumi-language-python", "pulumi-resource-pulumi-python"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: how it is, and what to do if that is not well."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


def doctor(stack: Stack = None, as_json: Json = False) -> None:
    """Look for what keeps pulumi up from working.

    Engine, settings, credentials, sandbox, permissions, state. Nothing is written. Exit code 1 if a check fails; a
    warning is none.

    \b
    Examples:
      pulumi-aep doctor
      pulumi-aep doctor --stack prod --json
    """
    found = []
    for check in examine(Session(stack)):
        found.append(check)
        if not as_json:
            _show(check)
    if as_json:
        print_json([asdict(check) for check in found])
    if any(check.verdict == "fail" for check in found):
        raise typer.Exit(1)


def examine(session: Session) -> Iterator[Check]:
    """Every check in turn; what cannot work without one that failed is not asked."""
    yield _python()
    yield from _engine()
    yield from _project(session)
    try:
        settings = session.settings
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
    """Our errors carry what to do from their second line on."""
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
        yield Check(
            "engine", "fail", "there is no pulumi on PATH", 'install Pulumi, or in a checkout: eval "$(make -s env)"'
        )
        return
    result = _pulumi("version")
    engine = result.stdout.strip().lstrip("v")
    if result.returncode or not _numbers(engine):
        yield Check("engine", "fail", f"{found} does not run: {_reason(result)}", "install Pulumi anew")
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
        yield Check("python host", "fail", text, "install Pulumi as a whole: these two come with it")
    else:
        yield Check("python host", "ok", f"{HOST} and {PLUGIN} are there")


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)+", text)
    return tuple(map(int, match[0].split("."))) if match else ()


# ---- project, stack and state ----


def _project(session: Session) -> Iterator[Check]:
    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "Pulumi.yaml").exists()), None)
    if folder is None:
        remedy = "go to a folder with a Pulumi.yaml, or make one with pulumi new"
        yield Check("project", "warn", "there is none here: settings come from the environment alone", remedy)
        return
    yield Check("project", "ok", str(folder / "Pulumi.yaml"))
    yield from _environment(folder)
    if not shutil.which("pulumi"):
        return
    chosen = ("--stack", session.stack) if session.stack else ()
    name = _pulumi("stack", "--show-name", *chosen)
    if name.returncode:
        remedy = "pulumi login, pulumi stack init NAME or pulumi stack select NAME"
        yield Check("stack", "fail", _reason(name), remedy)
        return
    opened = _pulumi("config", "--json", "--show-secrets", *chosen)
    if opened.returncode:
        remedy = "set PULUMI_CONFIG_PASSPHRASE, or log in to what encrypts the stack's secrets"
        yield Check("stack", "fail", f"the config of {name.stdout.strip()} cannot be read: {_reason(opened)}", remedy)
        return
    yield Check("stack", "ok", name.stdout.strip())
    yield from _state(session)


def _environment(folder: Path) -> Iterator[Check]:
    """The Python that the engine runs: that of Pulumi.yaml, else the first on PATH. It needs this package too."""
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
        yield Check("environment", "fail", f"Pulumi runs {python}, which is not there", "make setup, or pip install")
        return
    main = re.search(r"^main:\s*[\"']?([^\"'\s#]+)", text, re.MULTILINE)
    if named and main and not (folder / main[1] / named[1]).exists():
        told = f"{main[1]}/{named[1]} is missing: the official Pulumi looks there to run dynamic resources"
        yield Check("environment", "warn", told, f"ln -s ../{named[1]} {main[1]}/{named[1]}")
    if done.returncode:
        remedy = f"{python} -m pip install pulumi-aep, or name another virtualenv in Pulumi.yaml"
        yield Check("environment", "fail", f"Pulumi runs {python}, which has no pulumi_aep", remedy)
    else:
        yield Check("environment", "ok", f"Pulumi runs {python}, which has pulumi_aep")


def _state(session: Session) -> Iterator[Check]:
    ours = session.resources
    owners = [each.id for each in ours if each.kind == "Owner"]
    pending = session.state.get("pending_operations") or []
    if pending:
        text = f"{len(pending)} operations of an update that was killed are pending"
        yield Check("state", "warn", text, "pulumi-aep recover")
    elif not ours:
        yield Check("state", "ok", "nothing is deployed yet")
    elif len(owners) != 1:
        text = f"{len(ours)} resources, and no owner among them: what an interrupted run left is not found again"
        yield Check("state", "warn", text, "pulumi up makes it")
    else:
        yield Check("state", "ok", f"{len(ours)} resources of owner {owners[0]}")


def _homes(session: Session, settings: Settings) -> Iterator[Check]:
    """A stack belongs to one sandbox of one organization."""
    for key, setting, wanted in (("sandbox", "sandbox", settings.sandbox), ("org_id", "orgId", settings.org_id)):
        homes = sorted({str(each.outputs[key]) for each in session.resources if each.outputs.get(key)} - {wanted})
        if homes:
            text = f"this stack's objects live in {', '.join(homes)}, but the settings say {wanted}"
            yield Check("home", "fail", text, f"set aep:{setting} back, or make another stack: pulumi stack init …")


def _pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        capture_output=True,
        text=True,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        check=False,
    )


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    return lines[0].removeprefix("error: ") if lines else f"exit code {result.returncode}"


# ---- settings and services ----


def _settings(settings: Settings) -> Check:
    names = [variable for key, variable in VARIABLES.items() if os.environ.get(variable) and key not in FLAGS]
    source = f" (in the environment: {', '.join(names)})" if names else ""
    about = f"client {settings.client_id} of {settings.org_id}, secret set, {settings.endpoint}{source}"
    return Check("settings", "ok", about)


def _platform(session: Session, settings: Settings) -> Iterator[Check]:
    from ..client.http import time_limit

    client = session.client
    local = re.match(r"http://(127\.0\.0\.1|localhost|\[::1\])", settings.endpoint)
    start = "start the emulator: make up, or pulumi-aep emulator" if local else ""

    def tried(name: str, ask: Callable[[], Any], good: Callable[[Any], Check]) -> Check:
        with time_limit(WAIT_S, tries=1):
            try:
                return good(ask())
            except AepError as error:
                return _failed(name, error)

    reached = tried("reachability", client.clock_ahead, lambda ahead: _clock(settings, ahead))
    if reached.verdict == "fail":
        untold = reached.remedy in (
            "",
            RequestNotSent.remedy,
            ResponseLost.remedy,
        )
        network = "look at network, proxy (HTTPS_PROXY) and firewall" if untold else reached.remedy
        yield Check(reached.name, "fail", reached.text, start or network)
        return
    yield reached
    token = tried("token", client.sign_in, lambda _: Check("token", "ok", f"IMS gives one for {settings.client_id}"))
    yield token
    if token.verdict == "fail":
        return
    sandbox = tried("sandbox", lambda: list(client.sandboxes.find()), lambda found: _sandbox(settings, found))
    yield sandbox
    if sandbox.verdict == "fail" and sandbox.text.startswith(settings.sandbox):
        return  # the services would all say the same
    yield tried(
        "organization",
        client.schema_registry.tenant_id,
        lambda tenant: Check("organization", "ok", f"{settings.org_id}, namespace _{tenant}"),
    )
    yield from _homes(session, settings)
    for name, collection in {
        "Flow Service": client.flow_service.connections,
        "Schema Registry": client.schema_registry.schemas,
        "Catalog": client.catalog.datasets,
        "Data Prep": client.data_prep.mapping_sets,
    }.items():
        yield tried(
            name,
            lambda of=collection: next(iter(of.find()), None),  # type: ignore[misc]
            lambda _, of=name: Check(of, "ok", f"{of} may be read in {settings.sandbox}"),  # type: ignore[misc]
        )


def _clock(settings: Settings, ahead: float | None) -> Check:
    host = settings.endpoint.split("/")[2]
    if ahead is not None and abs(ahead) > SKEW_S:
        way = "ahead" if ahead > 0 else "behind"
        text = f"{host} answers, and this machine's clock is {abs(ahead):.0f} s {way} of it"
        return Check("reachability", "warn", text, "set the clock by NTP: start times of flows come from it")
    return Check(
        "reachability", "ok", f"{host} answers, and the clocks agree" if ahead is not None else f"{host} answers"
    )


def _sandbox(settings: Settings, found: list[dict[str, Any]]) -> Check:
    known = {item["name"]: item for item in found}
    item = known.get(settings.sandbox)
    if item is None:
        text = f"{settings.sandbox} is not there or not open to this credential"
        visible = f"open are {', '.join(sorted(known))}" if known else "none is open to it: give it a product profile"
        return Check("sandbox", "fail", text, f"check aep:sandbox; {visible}")
    about = f"{item['name']} ({item['title']}), {item['type']}, {item['state']}"
    if item["state"] != "active":
        return Check("sandbox", "fail", about, "wait until it is active, or take another one")
    if item["type"] == "production" and not settings.allow_production_deletes:
        about += ": nothing in it is deleted or replaced, since aep:allowProductionDeletes is not set"
    return Check("sandbox", "ok", about)


def _show(check: Check) -> None:
    mark = coloured(f"{check.verdict:<5}", COLOURS[check.verdict])
    typer.echo(f"{mark} {check.name:<16} {check.text}", color=console().is_terminal)
    if check.remedy and check.verdict != "ok":
        typer.echo(f"{'':<22} > {check.remedy}")
