"""Exactly once: whoever creates an object looks first for the one that an interrupted run, or a lost response, left."""

from ..errors import NotFound, ResponseLost, ServiceError
from .kind import ClaimsUnused, Item, Kind
from .runtime import Runtime
from .unanswered import Note
from .values import Props

TITLE_TAKEN = "XDM-1521-400"
PAUSES_AFTER_POST = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds between looks for an object whose creation got no answer, before a second POST: lists may be late."""
LONGEST_LAG_S = sum(PAUSES_AFTER_POST)


class Creation:
    """The creation of one object."""

    def __init__(self, kind: Kind, runtime: Runtime, new: Props) -> None:
        self.kind, self.runtime, self.new = kind, runtime, new
        self.collection = kind.collection(runtime.client)
        self.cache = runtime.cache(kind)
        self.note = Note(runtime.settings, kind.name, new.get("owner"))
        self.before: set[str] = set()
        self.lost: ServiceError | None = None

    def once(self) -> tuple[str, Item, bool]:
        """(id, object, whether it is new). What an interrupted run left is taken before anything is sent."""
        from ..client.http import outcome_unknown

        while left := self._find_left():
            try:
                item = self.collection.get(left)
            except NotFound:
                self.cache.mark_deleted(left)  # a moment ago: its list is late
            else:
                self.note.remove()
                return left, item, False
        self.before = {*self.cache.items()}
        self.lost = self._lost_before()
        left, answer = self.runtime.client.with_retries(self._find_or_create, outcome_unknown)
        self.note.remove()
        return (left, self.collection.get(left), False) if left else (answer["id"], answer, True)

    def _find_or_create(self) -> tuple[str | None, Item]:
        """After a lost response, look again before a second POST."""
        from ..client.http import outcome_unknown

        if self.lost and (left := self._find_left()):
            return left, {}
        self.note.write()
        try:
            return None, self.collection.create(self.kind.body(self.new, self.runtime))
        except ServiceError as error:
            if self.lost and error.code == TITLE_TAKEN and (left := self._find_left()):
                return left, {}  # the first POST did make it
            if not self.lost and not outcome_unknown(error):
                self.note.remove()
            self.lost = error
            raise

    def _lost_before(self) -> ServiceError | None:
        """The error of a run that was killed, or ended without an answer, before this one."""
        if not (left := self.note.seconds_left()):
            return None
        text = "an earlier run has sent it, and got no response"
        self.runtime.report(f"{self.kind.name}: {text}. Its list may be late: looking for up to {LONGEST_LAG_S:.0f} s.")
        remedy = (
            f"Lists may show it late. Run the command again in {left} s, or give it {2 * LONGEST_LAG_S:.0f} s "
            "(aep:timeout, or custom_timeouts of the resource)."
        )
        return ResponseLost(f"creation of {self.kind.name}", text, remedy)

    def _find_left(self) -> str | None:
        """The id of an object that is this resource's already, and is not among the ids `before`.

        After a lost POST its list may show it late: look again, and rather fail than POST again without a look.
        """
        from ..client.http import time_left

        for pause in PAUSES_AFTER_POST if self.lost else (0.0,):
            seconds = time_left()
            if self.lost and seconds is not None and seconds < pause:
                raise self.lost
            self.runtime.client.wait(pause)
            if left := self.cache.claim(self._is_mine, fresh=bool(self.lost)):
                return left
        return None

    def _is_mine(self, object_id: str, observed: Props) -> bool:
        ownership = self.kind.ownership
        if object_id in self.before or not ownership.is_mine(observed, self.new, bool(self.lost), self.runtime.line_of):
            return False
        if isinstance(self.kind, ClaimsUnused):
            return self.kind.is_orphan_of(object_id, observed, self.new, self.runtime)
        return True
