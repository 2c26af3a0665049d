"""The life of one resource: its provider's verbs in the order, and with the values, in which the engine calls them.

What engine and host do in between is done here too: numbers become floats, unset values vanish, secret marks are
taken off, diff and update see the old outputs, and a replacement is checked as if nothing had been there before.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pulumi_aep.client.client import Client
from pulumi_aep.config import Settings
from pulumi_aep.engine import ownership, runtime
from pulumi_aep.engine.sdk_internals import SECRET_MARK
from pulumi_aep.engine.values import Props
from support import kinds
from support.outside import OWNER


def host(value: Any) -> Any:
    """A value as the host hands it to a provider."""
    if isinstance(value, dict):
        if SECRET_MARK.items() <= value.items():
            return host(value["value"])
        return {key: host(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [host(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else copy.deepcopy(value)


class Life:
    """One resource. Every verb is a run of its own, with a process of its own.

    flow = life("Flow")
    assert flow.up({"name": "web", …}) == "create"
    assert flow.preview({"name": "other", …}) == "update"
    """

    def __init__(self, kind: str, settings: Settings, client: Client) -> None:
        self.provider, self.settings, self._client = kinds.provider(kind), settings, client
        self._deleted_first = kinds.kind_of(kind).delete_before_replace
        self._in_one_run = False
        self.id, self.inputs, self.outs = "", {}, {}  # type: str, Props, Props

    def run(self, **settings: Any) -> None:
        """A new plugin process; what an old one knew is forgotten. Within `one_run` the process stays."""
        if self._in_one_run:
            return
        wanted = replace(self.settings, **settings)
        process = runtime.Runtime(wanted, Client(wanted, pause=self._client._pause) if settings else self._client)
        process.planned = 0
        runtime.use(process)

    def problems(self, program: Props) -> list[str]:
        """What a preview tells of a new resource."""
        self.run()
        return [failure.reason for failure in self.provider.check(host(self.inputs), host(given(program))).failures]

    def preview(self, program: Props) -> str:
        """create, same, update or replace."""
        self.run()
        return self._step(program)[0]

    def up(self, program: Props, replace: bool = False) -> str:
        """What was done, as in `preview`. With `replace` as `pulumi up --replace` does it, which asks for no diff."""
        self.run()
        step, inputs = ("replace", {}) if replace else self._step(program)
        if step == "replace":
            inputs = self._checked({}, program)
            if self._deleted_first:
                self.provider.delete(self.id, host(self.outs))
        if step in ("create", "replace"):
            old, gone = self.id, host(self.outs)
            made = self.provider.create(host(inputs))
            self.id, self.outs, self.inputs = str(made.id), made.outs or {}, inputs
            if step == "replace" and not self._deleted_first:
                self.provider.delete(old, gone)
        elif step == "update":
            self.outs = self.provider.update(self.id, host(self.outs), host(inputs)).outs or {}
            self.inputs = inputs
        return step

    def refresh(self) -> bool:
        """Whether the object is still there; its properties become the state's."""
        self.run()
        found = self.provider.read(self.id, host(self.outs))
        if found.id:
            self.outs, self.inputs = found.outs or {}, found.inputs or {}
        else:
            self.id, self.outs, self.inputs = "", {}, {}
        return bool(found.id)

    def destroy(self) -> None:
        self.run()
        self.provider.delete(self.id, host(self.outs))
        self.id, self.outs, self.inputs = "", {}, {}

    def _step(self, program: Props) -> tuple[str, Props]:
        inputs = self._checked(self.inputs, program)
        if not self.id:
            return "create", inputs
        result = self.provider.diff(self.id, host(self.outs), host(inputs))
        return "replace" if result.replaces else "update" if result.changes else "same", inputs

    def _checked(self, olds: Props, program: Props) -> Props:
        result = self.provider.check(host(olds), host(given(program)))
        assert result.failures == [], [failure.reason for failure in result.failures]
        return {name: value for name, value in result.inputs.items() if value is not None}


def given(program: Props) -> Props:
    """What the library's resource hands to the engine: the program's arguments, the owner and the record."""
    owner = program.get("owner", OWNER)
    return {"owner": owner, "record": ownership.record(owner) if owner else None, **program}


@contextmanager
def one_run(*lives: Life) -> Iterator[None]:
    """The verbs of these resources share one plugin process, as in one run of the engine."""
    lives[0].run()
    for each in lives:
        each._in_one_run = True
    yield
    for each in lives:
        each._in_one_run = False
