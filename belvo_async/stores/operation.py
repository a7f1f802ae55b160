"""A call on its way through a store that carries out many at once."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

from ..discreet import bare

T = TypeVar("T")


class Operation(Generic[T]):
    """One call: who waits for it, and what it will be told. Made on the event loop of its caller."""

    __slots__ = ("failure", "future", "outcome")

    def __init__(self) -> None:
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.outcome: T | None = None
        self.failure: Exception | None = None

    def settle(self) -> None:
        """Tell the caller. A cancelled one no longer waits; what it asked for was done all the same."""
        if self.future.done():
            return
        if self.failure is not None:
            # Where it comes from, frames hold values, and what it hangs on the password of the store.
            self.future.set_exception(bare(self.failure))
        else:
            self.future.set_result(self.outcome)  # type: ignore[arg-type]  # None only where T admits it
