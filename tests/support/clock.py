"""Time that passes in pauses only, so that waiting takes none and no test depends on the speed of the machine."""

import time


class Clock:
    """Stands for the module `time` in `pulumi_aep.client.http`; a client with it pauses by `sleep`."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        self.now += seconds
