"""What one plugin process shares."""

import threading
from concurrent.futures import ThreadPoolExecutor

from pulumi_aep.runtime import Runtime, _widen_host
from unit.conftest import OfflineRuntime


def test_the_host_serves_as_many_calls_as_the_services_may_be_asked() -> None:
    """As the host does: its pool has four threads, and configure() is called on one of them."""
    with ThreadPoolExecutor(4) as pool:
        pool.submit(_widen_host, 12).result()
        together = threading.Barrier(12)
        list(pool.map(lambda _: together.wait(10), range(12)))


def test_a_lower_ceiling_leaves_the_host_as_it_is() -> None:
    with ThreadPoolExecutor(4) as pool:
        pool.submit(_widen_host, 2).result()
        together = threading.Barrier(4)
        list(pool.map(lambda _: together.wait(10), range(4)))


def test_outside_of_a_pool_nothing_happens() -> None:
    _widen_host(12)


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
