"""What others do for the subjects of a plan while a run lasts: read again from the store, before more is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from ...jobs import Job
from .subject_state import SubjectState

# Behind the last look, in seconds: far less than the first cool-down, so that whoever learns of a failure only now has
# not sent what another run sent in its place. Of a large store a look takes its time: it is a twentieth of it at most.
LOOK_EVERY: Final = 60.0
LOOK_SHARE: Final = 20


class Lookout:
    """Looks at the store's jobs now and then, and tells the subjects what they do not know yet."""

    def __init__(self, read: Callable[[], AsyncIterator[Job]], lines: Iterable[SubjectState]) -> None:
        self._read = read
        self._lines = {line.subject: line for line in lines}
        self._looking = asyncio.Lock()
        self._due = self._now() + LOOK_EVERY

    async def catch_up(self, learn: Callable[[SubjectState, Job], None]) -> None:
        """Have what is new learned, if it is time to look. Raises StoreError."""
        async with self._looking:
            began = self._now()
            if began < self._due:
                return
            async for job in self._read():
                line = self._lines[job.task.subject]
                if line.is_news(job):
                    learn(line, job)
                    line.is_behind = True
            self._due = self._now() + max(LOOK_EVERY, LOOK_SHARE * (self._now() - began))

    def close(self) -> None:
        """Forget the subjects: nobody looks any more."""
        self._lines.clear()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
