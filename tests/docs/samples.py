"""What errors look like on the terminal: real runs against the emulator, one sample for each class of errors.

`python tests/docs/samples.py` writes them into docs/errors.md.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

from acceptance.support import Stack
from docs import pages
from pulumi_aep import errors
from pulumi_aep.engine.ownership import record_key
from support.emulator import FLOW, Emulator
from support.mixpanel import make_chain, source

PAGE = pages.ROOT / "docs" / "errors.md"
NOWHERE = "70383d02-2777-4be7-a309-9dd6eea1b46d"
DATASET = "5ef4551c52e054191a61a99f"

HEAD = """
def source(resource_name, **more):
    data, params = {"format": "json"}, {"projectId": "1", "timezone": "UTC"}
    wanted = {"connection_spec": aep.ConnectionSpec.MIXPANEL, "data": data, "params": params, **more}
    return aep.SourceConnection(resource_name, base_connection_id=BASE, **wanted)
"""
CREATIONS = """
auth = {"spec_name": "OAuth", "params": {"username": "shop", "password": "canary"}}
aep.BaseConnection("refused", connection_spec=aep.ConnectionSpec.MIXPANEL, auth=auth)
auth = {"spec_name": "Basic Authentication", "params": {"username": "shop", "password": "canary"}}
aep.BaseConnection("untested", connection_spec=aep.ConnectionSpec.MIXPANEL, auth=auth, test="strict")
aep.Schema("page")
aep.FieldGroup("lost", title="lost", fields={"item": {"type": "string"}})
aep.FirstRun("failed", flow_id=FLOW, timeout=1)
"""
KEPT = """
source("changed", description="ours")
source("deleted", description="ours")
source("used")
aep.Dataset("full", schema_id=SCHEMA)
"""
UPDATES = """
source("changed", description="new")
source("deleted", description="new")
source("left")
"""


def samples(folder: Path) -> dict[str, str]:
    """Class of errors → what the terminal shows."""
    found: dict[str, str] = {}
    with Emulator(folder) as emulator:
        made = make_chain(emulator)
        ids = f"FLOW, BASE, SCHEMA = {made.flow!r}, {made.base!r}, {made.schema!r}\n"
        stack = Stack(folder, emulator, "dev").create("", "local")
        before_anything(stack, found)
        at_creation(stack, ids, emulator, found)
        later(stack, ids, emulator, found)
    return found


def before_anything(stack: Stack, found: dict[str, str]) -> None:
    stack.config({"aep:timeout": "five", "aep:sandbox": None})
    stack.program("aep.FieldGroup('web', fields={'item': {'type': 'string'}})")
    found["ConfigError"] = message(stack.fail("preview"), "Owner (aep-owner)")

    stack.config({"aep:timeout": "1", "aep:sandbox": "local"})
    port, stack.environment["AEP_EMULATOR_PORT"] = stack.environment["AEP_EMULATOR_PORT"], "9"
    found["RequestNotSent"] = message(stack.fail("preview"), "Owner (aep-owner)")

    stack.config({"aep:timeout": "6", "aep:onlineChecks": "false"})
    stack.environment["AEP_EMULATOR_PORT"] = port
    stack.program(HEAD.replace("BASE", "None") + "source('web', name='', data={'format': 'jsn'})")
    found["Problems at preview"] = message(stack.fail("preview"), "Owner (aep-owner)")

    stack.program("aep.get_dataset(name='orders')")
    found["LookupFailed"] = message(stack.fail("preview"), "Stack (shop-dev)")


def at_creation(stack: Stack, ids: str, emulator: Emulator, found: dict[str, str]) -> None:
    inject(emulator, "GET", "/connections/.*/test$", status=200, body={"result": False})
    inject(emulator, "POST", "/schemas$", status=403, body="<html>Sign in</html>")
    inject(emulator, "POST", "/fieldgroups$", drop="before")
    stack.program(ids + HEAD + KEPT + CREATIONS)
    text = stack.fail("up", "--continue-on-error")
    found["ApiError"] = message(text, "BaseConnection (refused)")
    found["CredentialsRejected"] = message(text, "BaseConnection (untested)")
    found["UnexpectedResponse"] = message(text, "Schema (page)")
    found["ResponseLost"] = message(text, "FieldGroup (lost)")
    found["RunFailed"] = message(text, "FirstRun (failed)")


def later(stack: Stack, ids: str, emulator: Emulator, found: dict[str, str]) -> None:
    resources = stack.resources()
    changed, deleted = resources["SourceConnection changed"], resources["SourceConnection deleted"]
    owner, headers = changed["outputs"]["owner"], {"If-Match": changed["outputs"]["etag"]}
    patch = [{"op": "replace", "path": "/description", "value": f"theirs\n[pulumi: {owner}]"}]
    key = record_key("pulumi-python:dynamic/aep:SourceConnection", "left")
    line = owner.rpartition(".")[0].replace("/changed#", "/left#")
    left = source("", "left") | {"description": f"[pulumi: {line}.{key}]"}
    left["baseConnectionId"] = emulator.objects()["BaseConnection"][0]["id"]
    for method, path, body in (("PATCH", changed["id"], patch), ("DELETE", deleted["id"], None), ("POST", "", left)):
        url = f"{FLOW}/sourceConnections/{path}".rstrip("/")
        emulator.request(method, url, body, headers=headers).raise_for_status()
    stack.program(ids + HEAD + UPDATES)
    batch = {resources["Dataset full"]["id"]: {"lastBatchId": "01ED0C6BQ2HPNH4EVPQ5WXYZAB"}}
    inject(emulator, "GET", "/catalog/lastBatches$", status=200, body=batch)
    found["DeletionProtected"] = message(stack.fail("up"), "Owner (aep-owner)")
    emulator.control("DELETE", "faults").raise_for_status()

    refusal = {"type": "https://ns.adobe.com/aep/errors/FLOW-1447-400", "title": "Active flows contain this id"}
    inject(emulator, "DELETE", "/sourceConnections/", status=400, body=refusal)
    text = stack.fail("up", "--continue-on-error")
    found["Conflict"] = message(text, "SourceConnection (changed)")
    found["NotFound"] = message(text, "SourceConnection (deleted)")
    found["OwnershipConflict"] = message(text, "SourceConnection (left)")
    found["InUse"] = message(text, "SourceConnection (used)")

    stack.config({"aep:sandbox": "stage"})
    found["ScopeMismatch"] = message(stack.fail("preview"), "Owner (aep-owner)")


def inject(emulator: Emulator, method: str, path: str, **answer: Any) -> None:
    emulator.control("POST", "faults", {"method": method, "path": path, **answer}).raise_for_status()


def message(text: str, resource: str) -> str:
    """The diagnostics of one resource, with what differs from run to run replaced."""
    head = re.escape(resource)
    match = re.search(rf"^Diagnostics:\n(?:.*\n)*?(  \S*{head}:\n(?:    .*\n)+)", text, re.MULTILINE)
    assert match, f"{resource} is not in\n{text}"
    sample = re.sub(r"^  ", "", match[1], flags=re.MULTILINE)
    sample = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8700", sample)
    sample = re.sub(r"Tried \d+ times", "Tried 5 times", sample)
    sample = re.sub(r"\b[0-9a-f]{24}\b", DATASET, sample)
    sample = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", NOWHERE, sample)
    return sample.rstrip()


def tree(base: type[errors.AepError] = errors.AepError, indent: str = "") -> str:
    """The classes below `base`, each with the first paragraph of its docstring."""
    lines = [] if indent else [base.__name__]
    below = [each for each in base.__subclasses__() if each.__module__ == errors.__name__]
    for each in below:
        last = each is below[-1]
        about = str(each.__doc__).split("\n")[0].removesuffix(".")
        lines.append(f"{indent}{'└── ' if last else '├── '}{each.__name__}: {about}")
        if each.__subclasses__():
            lines.append(tree(each, indent + ("    " if last else "│   ")))
    return "\n".join(lines)


def remedies() -> str:
    """The table of codes: remedy by remedy."""
    codes: dict[str, list[str]] = {}
    for code, remedy in errors.REMEDIES.items():
        codes.setdefault(remedy, []).append(f"`{code}`")
    rows = [f"| {', '.join(each)} | {remedy} |" for remedy, each in codes.items()]
    return "\n".join(["| Status or code | What to do |", "|---|---|", *rows])


def written(page: str, found: dict[str, str]) -> str:
    """The page with the family, the codes and the samples as they are now."""
    for heading, block in {**found, "Hierarchy": tree()}.items():
        page = _replaced(page, heading, r"```\n.*?```", f"```\n{block}\n```")
    return _replaced(page, "Codes", r"\|.*\|", remedies())


def sections(page: str) -> dict[str, str]:
    """Heading of the second level → its text."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _replaced(page: str, heading: str, pattern: str, new: str) -> str:
    """The first such part of a section is the new one."""
    section = sections(page)[heading]
    return page.replace(section, re.sub(pattern, lambda _: new, section, count=1, flags=re.DOTALL))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        PAGE.write_text(written(PAGE.read_text(), samples(Path(place))))
