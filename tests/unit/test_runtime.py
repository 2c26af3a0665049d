"""What one plugin process shares."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

from pulumi_aep.engine.runtime import Runtime
from unit.conftest import OfflineRuntime


def test_a_spec_is_asked_for_once_however_many_want_it(offline: OfflineRuntime) -> None:
    asked, begun = list[str](), threading.Barrier(8)

    def get(spec_id: str) -> dict[str, str]:
        asked.append(spec_id)
        return {"id": spec_id}

    offline.client.flow_service.connection_specs.get = get  # type: ignore[method-assign, assignment]

    def want(_: int) -> object:
        begun.wait(10)
        return Runtime.connection_spec(offline, "mixpanel")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(want, range(8))) == [{"id": "mixpanel"}] * 8
    assert asked == ["mixpanel"]


def test_who_asks_for_one_thing_does_not_wait_for_another(offline: OfflineRuntime) -> None:
    here = threading.Event()

    def slow(spec_id: str) -> dict[str, str]:
        assert here.wait(10), "the flow spec had to wait for the connection spec"
        return {"id": spec_id}

    def quick(spec_id: str) -> dict[str, str]:
        here.set()
        return {"id": spec_id}

    offline.client.flow_service.connection_specs.get = slow  # type: ignore[method-assign, assignment]
    offline.client.flow_service.flow_specs.get = quick  # type: ignore[method-assign, assignment]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(Runtime.connection_spec, offline, "mixpanel")
        assert Runtime.flow_spec(offline, "to-aep") == {"id": "to-aep"}
        assert first.result() == {"id": "mixpanel"}


def test_a_run_without_a_call_does_not_load_what_calls_need() -> None:
    """Nor does a program without look-ups: HTTP is the plugin's, and only when there is something to ask."""
    code = """
        import sys
        import pulumi_aep
        from pulumi_aep.engine import runtime
        from pulumi_aep.config import Settings
        for name in pulumi_aep.__all__:
            getattr(pulumi_aep, name)
        from pulumi_aep.engine.reconciler import Reconciler
        nothing = runtime.Runtime(Settings("org", "client", "secret", "dev"))
        verbs = Reconciler(pulumi_aep.TargetConnection.kind, nothing)
        given = {"name": "web", "dataset_id": "6" * 24, "owner": "shop/dev/web#a.b"}
        inputs, problems = verbs.check(given, given)
        print(problems, verbs.diff("2", verbs.state(inputs), inputs).changes)
        heavy = ("requests", "urllib3", "jsonschema", "pulumi_aep.client.http")
        print([name for name in heavy if name in sys.modules])
    """
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] False", "[]"]
