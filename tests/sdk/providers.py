"""Providers that the dynamic host imports by name."""

import threading
import time
from typing import Any, NoReturn

from pulumi.dynamic import ConfigureRequest, ResourceProvider

from pulumi_aep.engine.sdk_internals import plain_errors, widen_host_pool
from pulumi_aep.errors import ScopeMismatch

MESSAGE = "web lives in sandbox dev.\nChange aep:sandbox back."
CONCURRENCY = "aep:concurrency"
BARRIERS = {size: threading.Barrier(size) for size in (4, 12)}


class Failing(ResourceProvider):
    """Raises an error of this package or, if a property `bug` is set, one that nobody expects."""

    def configure(self, req: ConfigureRequest) -> None:
        plain_errors()

    def fail(self, props: dict[str, Any]) -> NoReturn:
        if "bug" in props:
            raise ZeroDivisionError("a bug")
        raise ScopeMismatch(MESSAGE)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> NoReturn:
        self.fail(news)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> NoReturn:
        self.fail(_news)

    def create(self, props: dict[str, Any]) -> NoReturn:
        self.fail(props)

    def read(self, id_: str, props: dict[str, Any]) -> NoReturn:
        self.fail(props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> NoReturn:
        self.fail(_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> NoReturn:
        self.fail(_props)


class FailingToConfigure(Failing):
    """Fails before its first verb, as invalid settings do."""

    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        self.fail({})


class Together(ResourceProvider):
    """A delete ends when as many deletes as its property `together` are in progress."""

    def configure(self, req: ConfigureRequest) -> None:
        time.sleep(0.5)  # the other calls arrive meanwhile, as in a destroy
        widen_host_pool(int(req.config.require(CONCURRENCY)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        BARRIERS[int(_props["together"])].wait(10)
