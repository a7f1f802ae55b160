"""A part while it is written: rows are counted and encoded here, and go to the disk in a thread meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from ..abc import PartKey, Receipt, SideFile
from ..discreet import discreet
from ..errors import SinkError
from .small_letters import Values, values_of
from .tally import Tally

# Rows at a time: a millisecond of the loop's, between which others have their turn.
_SLICE: Final = 200

Work = Callable[[], None]


class Closed(NamedTuple):
    """What a writer has made of a part. `durable`: what is still to be done elsewhere until it is; None: it is."""

    size_bytes: int
    digest: str
    beside: tuple[SideFile, ...] = ()
    durable: Future[None] | None = None


class PartWriter(Protocol):
    """Writes the rows of one part in one format. But for `take`, called in threads, never two at once.

    Raises OSError as writing does, and SinkError for a value that has no place in the format.
    """

    @property
    def path(self) -> str:
        """The file that is to be, for errors."""
        ...

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        """Take rows, and what they hold, on the loop; what is to be done in a thread when enough have gathered."""
        ...

    def close(self) -> Closed:
        """Write what is left, make all of it durable and give it its name."""
        ...

    def drop(self) -> None:
        """Remove all of it. Whatever happened before."""
        ...


class StreamedPart:
    """Keeps the contract `OpenPart` with a writer.

    While one piece goes to the disk, the next is encoded: a fault of writing is raised by the call that follows it.
    """

    def __init__(self, key: PartKey, sink: str, part: str, writer: PartWriter) -> None:
        self._key = key
        self._sink = sink
        self._part = part
        self._writer = writer
        self._tally = Tally(key.record)
        self._pending: asyncio.Future[None] | None = None
        self._lock = threading.Lock()
        self._is_over = False
        self._has_gap = False

    @discreet
    async def write(self, records: Sequence[object]) -> None:
        """See `OpenPart.write`."""
        self._check(records)
        # Unless it comes to its end: rows of what failed or was cancelled on its way are nowhere.
        self._has_gap = True
        for start in range(0, len(records), _SLICE):
            rows = records[start : start + _SLICE]
            with _telling(self._writer.path):
                values = values_of(rows)
                work = self._writer.take(rows, values)
                # After it: who encodes waits for the memory of what rows hold while it works, who adds up would not.
                self._tally.add(values)
            if work is not None:
                await self._hand_over(work)
            elif start:
                await asyncio.sleep(0)
        self._has_gap = False

    @discreet
    async def commit(self, *, now: datetime) -> Receipt:
        """See `OpenPart.commit`."""
        self._check(())
        self._has_gap = True
        await self._settle()
        closed: list[Closed] = []
        await self._hand_over(lambda: closed.append(self._close()))
        await self._settle()
        if closed[0].durable is not None:
            await asyncio.wrap_future(closed[0].durable)
        tally = self._tally
        return Receipt(
            sink=self._sink,
            job=self._key.job,
            part=self._part,
            rows=tally.rows,
            size_bytes=closed[0].size_bytes,
            digest=closed[0].digest,
            ids=tally.ids,
            sums=dict(tally.sums),
            at=now,
            beside=closed[0].beside,
        )

    async def leave(self) -> None:
        """Remove what was not committed, also while being cancelled."""
        # What is in the thread is let finish: it holds the file.
        await asyncio.shield(asyncio.to_thread(self._drop))

    def _check(self, records: Sequence[object]) -> None:
        if self._is_over or self._has_gap:
            raise SinkError("this part is closed: begin another", path=self._writer.path)
        strange = set(map(type, records)) - {self._key.record}
        if strange:
            names = ", ".join(sorted(each.__name__ for each in strange))
            text = f"the part is of {self._key.record.__name__}, and the rows are of {names}"
            raise SinkError(text, path=self._writer.path)

    async def _hand_over(self, work: Work) -> None:
        await self._settle()
        self._pending = asyncio.get_running_loop().run_in_executor(None, self._do, work)

    async def _settle(self) -> None:
        """Wait until what was handed over is done."""
        if self._pending is not None:
            await asyncio.shield(self._pending)
            self._pending = None

    def _do(self, work: Work) -> None:
        with self._lock, _telling(self._writer.path):
            if not self._is_over:
                work()

    def _close(self) -> Closed:
        closed = self._writer.close()
        self._is_over = True
        return closed

    def _drop(self) -> None:
        with self._lock:
            self._is_over = True
            with suppress(OSError):
                self._writer.drop()
        if self._pending is not None and self._pending.done() and not self._pending.cancelled():
            self._pending.exception()


@contextmanager
def _telling(path: str) -> Generator[None]:
    """Say in one sentence which file could not be written, and what to do. The value stays unsaid."""
    try:
        yield
    except OSError as error:
        raise cannot_write(error, path) from error
    except SinkError as error:
        error.path = error.path or path
        raise
    except (ArithmeticError, ValueError, TypeError, msgspec.MsgspecError) as error:
        # What it says may hold the value.
        text = f"a row cannot be written to {path} ({type(error).__name__}): nothing of this part stays"
        raise SinkError(text, path=path) from None


_ADVICE: Final = "mend that and give the same command again: nothing of this part stays, what was committed before does"


def cannot_write(error: OSError, path: str) -> SinkError:
    """Make the error for what the system refused."""
    return SinkError(f"cannot write {path}: {error.strerror or type(error).__name__}; {_ADVICE}", path=path)
