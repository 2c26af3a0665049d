"""Part two: each assumption of the emulator that can be asked from outside is asked (probes.json).

A probe has steps; its last answer is compared with what the emulator's rule or note says. A rule expects its status and
code, a note that accepts a 2xx, another note its value, which `see` finds in the answer.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from ..emulator.app import SERVICES
from ..emulator.core.errors import NOTES, RULES
from ..emulator.core.store import DEFAULTS
from ..errors import AepError
from .exchange import BUSY, Caller, Exchange, Mask, compressed, shown, with_texts

assert SERVICES  # importing them declares all rules and notes
PLAN: dict[str, Any] = json.loads(files(__package__).joinpath("probes.json").read_text())
LONGEST_WAIT_S, PAUSE_S = 60.0, 0.5
UNMASKED = "the service shows the secret in another form, which is not repeated here"
_NAME = re.compile(r"\{(\w+)\}")
Step = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a probe found: confirmed, contradicted or not tried. `observed`: in the form of `assumptions`."""

    id: str
    result: str
    assumed: Any
    observed: Any = None
    text: str = ""
    exchange: dict[str, Any] | None = None


class NotTried(Exception):
    """Why a probe could not be tried."""


class Probing:
    """Makes the objects that the probes need, then asks them one by one. `names` are what `{…}` stands for."""

    def __init__(self, caller: Caller, names: dict[str, str], mask: Mask) -> None:
        self.caller, self.names, self.mask = caller, dict(names), mask
        self._missing = {"given_source": "it takes --source"}
        self.lag = 0  # seconds by which reads were seen to be behind writes

    def prepare(self) -> None:
        """Makes what can be made; a probe that needs the rest says why it could not be tried."""
        for step in PLAN["world"]:
            try:
                self._must(step, self._do(step))
            except (NotTried, AepError) as error:
                self._missing[step["as"]] = str(error).splitlines()[0]

    def results(self, only: Callable[[str], bool] = lambda key: True) -> Iterator[Result]:
        world = dict(self.names)
        for probe in PLAN["probes"]:
            if only(probe["id"]):
                self.names = dict(world)
                yield self._ask(probe)

    def _ask(self, probe: dict[str, Any]) -> Result:
        key, expected = probe["id"], assumed(probe["id"])
        try:
            self._named(probe.get("needs", "id"))
            started = self._now()
            for step in probe["steps"][:-1]:
                self._must(step, self._do(step))
                if probe.get("see") != "seconds":
                    time.sleep(self.lag)
                started = self._now()
            last = self._do(probe["steps"][-1])
        except (NotTried, AepError) as error:
            return Result(key, "not tried", expected, text=self.mask(str(error)))
        return self._judge(probe, expected, last, self._now() - started)

    def _now(self) -> float:
        """A clock that stands still while a busy service makes the caller wait."""
        return time.monotonic() - self.caller.waited

    def _judge(self, probe: dict[str, Any], expected: Any, last: Exchange, seconds: float) -> Result:
        key, ok = probe["id"], last.status < 300

        def result(found: str, observed: Any = None, text: str = "") -> Result:
            return Result(key, found, expected, observed, text, self.mask(shown(last)))

        if _says_nothing(key, last.status, expected):
            return result("not tried", text=f"the service answered {last.status}, which says nothing about this")
        if "see" in probe:
            see = self._filled(probe["see"])
            if not ok and see not in ("ok", "status", "code"):
                return result("not tried", text=f"the last request answered {last.status}")
            observed = self._delay(key, seconds) if see == "seconds" else as_type(_look(see, last), expected)
            if observed is None:
                return result("not tried", text=f"the answer has no {see}")
            good = observed == expected
            if probe.get("secret") and not good and not _is_mask(observed):
                return result("contradicted", text=UNMASKED)
        else:
            observed = {"status": last.status, "code": last.code}
            good = ok if expected == "accepted" else observed == expected
        if good:
            return Result(key, "confirmed", expected, observed)
        return result("contradicted", self.mask(observed))

    def _delay(self, key: str, seconds: float) -> int:
        """Whole seconds until it was so, 0 if at the first look. Reads that are late delay all else."""
        if not key.endswith("_lag"):
            return max(0, int(seconds - self.lag))
        delay = 0 if seconds < PAUSE_S else max(1, int(seconds))
        self.lag = max(self.lag, delay)
        return delay

    # ---- steps ----

    def _do(self, step: Step) -> Exchange:
        for _ in range(step.get("repeat", 1)):
            answer = self._send(step)
        if condition := step.get("until"):
            end = time.monotonic() + step.get("within", LONGEST_WAIT_S)
            while not _meets(condition, answer) and time.monotonic() < end:
                time.sleep(PAUSE_S)
                answer = self._send(step)
        for name, path in step.get("keep", {}).items():
            self.names[name] = str(_look(path, answer))
        return answer

    def _send(self, step: Step) -> Exchange:
        method, path = self._target(step["request"])
        content: dict[str, Any] = {"headers": dict(self._filled(step.get("headers", {})))}
        content["params"] = self._filled(step.get("query", {}))
        if step.get("match"):
            time.sleep(self.lag)
            found = self.caller.send("GET", path)
            content["headers"]["If-Match"] = str(_look("body.items.0.etag", found))
        if step.get("gzip"):
            content |= compressed(self._filled(step["body"]))
        elif "body" in step:
            content["json"] = self._filled(step["body"])
        elif "raw" in step:
            content |= {"data": step["raw"], "headers": {"Content-Type": "application/json"}}
        elif "form" in step:
            content["data"] = self._filled(step["form"])
        answer = self.caller.send(method, path, anonymous=path.startswith("/ims/"), **content)
        if method == "POST" and answer.status < 300 and (key := id_of(answer.body)):
            self.names[step.get("as", "_")] = key
        return answer

    def _must(self, step: Step, answer: Exchange) -> None:
        if answer.status >= 300:
            raise NotTried(
                f"{step['request'].split(':')[0]} {answer.request} answered {answer.status} {answer.code}".strip()
            )

    def _target(self, request: str) -> tuple[str, str]:
        method, _, rest = request.partition(" ")
        base, _, path = rest.partition(":")
        filled = _NAME.sub(lambda match: quote(self._named(match[1]), safe=""), path)
        return method, PLAN["bases"][base] + filled

    def _filled(self, value: Any) -> Any:
        return with_texts(value, lambda text: _NAME.sub(lambda match: self._named(match[1]), text))

    def _named(self, name: str) -> str:
        if name not in self.names:
            why = self._missing.get(name, "")
            raise NotTried(why if why.startswith("there is no") else f"there is no {name}: {why}".strip(": "))
        return self.names[name]


def _says_nothing(key: str, status: int, expected: Any) -> bool:
    """A busy service, or a missing permission; permissions are what IMS and the gateway are asked about."""
    refusal = () if key.startswith(("ims.", "gateway.")) else (401, 403)
    return status in (*BUSY, *refusal) and status != (expected["status"] if isinstance(expected, dict) else None)


def _is_mask(value: Any) -> bool:
    """One character, again and again: all else could be the secret."""
    return isinstance(value, str) and len(set(value)) == 1


def assumed(key: str) -> Any:
    """What the emulator assumes, in the form of an observation."""
    if note := NOTES.get(key):
        return "accepted" if note.accepted else DEFAULTS[note.setting] if note.setting else note.value
    rule = RULES[key]
    return {"status": rule.status, "code": rule.code}


def not_probed() -> dict[str, str]:
    """Assumed rules and notes without a probe, with the reason."""
    reasons: dict[str, str] = json.loads(files(__package__).joinpath("not_probed.json").read_text())
    return reasons


def as_type(value: Any, like: Any) -> Any:
    """Reads hold numbers and booleans as texts in places."""
    if isinstance(like, bool) and value in ("true", "false"):
        return value == "true"
    if isinstance(like, str) and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _meets(condition: str, answer: Exchange) -> bool:
    path, _, wanted = condition.partition("=")
    found = _look(path, answer)
    return found is not None and (not wanted or found == wanted)


def _look(see: str, answer: Exchange) -> Any:
    """What an answer has: `status`, `code`, `ok`, `body.path`, or `count`, `type`, `form`, `key` of it."""
    word, _, rest = see.partition(" ")
    if word == "count":
        found = _look(rest, answer)
        return len(found) if isinstance(found, list) else None
    if word == "type":
        return "list" if isinstance(_look(rest, answer), list) else "object"
    if word in ("form", "key") and not isinstance(answer.body, dict):
        return None
    if word == "form":  # of the first descriptor in a list by type
        first = next((each for listed in answer.body.values() if isinstance(listed, list) for each in listed), None)
        return "xdm" if isinstance(first, dict) else "xdm-link" if str(first).startswith("/") else "xdm-id"
    if word == "key":  # under which a list of objects with this field stands
        holds = (name for name, each in answer.body.items() if isinstance(each, list) and rest in (*each, {})[0])
        return next(holds, None)
    if see in ("status", "code"):
        return getattr(answer, see)
    if see == "ok":
        return answer.status < 300
    value = answer.body
    for name in see.split(".")[1:]:
        if isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def id_of(body: Any) -> str:
    if isinstance(body, list) and body and str(body[0]).startswith("@/"):
        return str(body[0]).rsplit("/", 1)[-1]
    if isinstance(body, dict):
        return str(body.get("$id") or body.get("@id") or body.get("id") or "")
    return ""
