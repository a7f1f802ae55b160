"""Group commit on PostgreSQL: while a transaction is being committed, calls queue up; the next one takes them all."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from copy import copy
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import psycopg

from ...discreet import discreet
from ...errors import StoreError
from ..operation import Operation
from ..rules import tell_restore
from .connection import ConnectionLostError, PersistentConnection, Row, Server, Statement, store_error
from .era import KnownEra

T = TypeVar("T")

Steps: TypeAlias = Generator[list[Statement], list[list[Row]], None]
"""What one kind of call has to say inside a transaction.

Yields statements that lock and read and is sent their rows; yields statements that write, and ends. Between the two it
settles what each call returns. A retried transaction starts a new one.
"""

# Arrays of this many documents are about half a megabyte, and a transaction of that many writes some 20 ms.
BATCH_LIMIT: Final = 512
# A batch is only ever begun again when another worker was faster, which it seldom is twice.
ATTEMPTS: Final = 8
# How long (in sum) to wait for a server that went away during a commit before giving up on the answer.
DOUBT_PAUSES_SECONDS: Final = (0.0, 0.1, 0.3, 0.6, 1.0)


class Read(Operation[T]):
    """A call that one SELECT answers."""

    def __init__(self, statement: Statement, decode: Callable[[list[Row]], T]) -> None:
        super().__init__()
        self.statement = statement
        self.decode = decode


class Write(Operation[T]):
    """A call that changes something. Those of one kind take part in a transaction together."""

    # The kinds take their locks in this order, in every worker: so they never wait for each other in a circle.
    rank = 0
    # Whether it met a row that somebody had put back from a copy.
    met_copy = False

    @staticmethod
    def steps(operations: Sequence[Any]) -> Steps:
        """Carry out all calls of this kind that are in a transaction."""
        raise NotImplementedError

    def alone(self, known: KnownEra, batch: int) -> Statement | None:
        """One statement that does all of this call and notes the batch, or nothing where anything stands in its way.

        What it does it tells by a row that begins with the number of its transaction. None where there is no such one.
        """
        return None


class Runner(Protocol):
    """Carries out batches, one after the other."""

    connection: PersistentConnection

    async def run(self, batch: list[Any]) -> None: ...


class BatchQueue:
    """Collects calls while the runner is busy and hands them over together."""

    def __init__(self, runner: Runner, name: str) -> None:
        self._runner = runner
        self._waiting: deque[Operation[Any]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task = asyncio.create_task(self._serve(), name=f"belvo_async store {name}")

    def submit(self, operation: Operation[T]) -> asyncio.Future[T]:
        """Queue a call; the future is done once what it wrote is durable."""
        self._waiting.append(operation)
        self._wake.set()
        return operation.future

    async def close(self, seconds: float) -> None:
        """Do what is queued, then hang up; after so many seconds hang up at once."""
        self._is_closing = True
        self._wake.set()
        _, late = await asyncio.wait({self._task}, timeout=seconds)
        if late:
            self._runner.connection.cut()
            self._task.cancel()
            await asyncio.wait({self._task})
        for operation in self._waiting:
            operation.failure = StoreError("the store was closed before PostgreSQL answered")
            operation.settle()
        await self._runner.connection.drop()

    def abandon(self) -> None:
        """Hang up without the event loop the store was opened on."""
        self._runner.connection.abandon()

    @discreet
    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_LIMIT))]
            if not batch and self._is_closing:
                return
            if not self._waiting and not self._is_closing:
                self._wake.clear()
            await self._carry_out(batch)

    async def _carry_out(self, batch: list[Operation[Any]]) -> None:
        try:
            await self._runner.run(batch)
        except asyncio.CancelledError:
            text = "the store was closed before PostgreSQL answered: the outcome is unknown"
            _fail(batch, StoreError(text, maybe_done=True))
            raise
        except Exception as error:  # noqa: BLE001 - the queue must outlive it; every caller is told
            _fail(batch, error)
        finally:
            for operation in batch:
                operation.settle()


class Reader:
    """Runs SELECTs, each seeing what was committed before it."""

    def __init__(self, server: Server) -> None:
        self.connection = PersistentConnection(server)

    async def run(self, batch: list[Read[Any]]) -> None:
        """Answer a batch in one round trip; when one of it is refused, each by itself."""
        try:
            answers = await _ask_again(self.connection, [each.statement for each in batch])
        except psycopg.Error as error:
            if len(batch) == 1:
                raise store_error(error) from None
            for each in batch:
                try:
                    await self.run([each])
                except StoreError as refusal:
                    each.failure = refusal
            return
        for each, rows in zip(batch, answers, strict=True):
            try:
                each.outcome = each.decode(rows)
            except Exception as error:  # noqa: BLE001 - told to the one caller whose row it is
                each.failure = error


class Writer:
    """Runs transactions, and finds out about those whose commit was not answered."""

    def __init__(self, server: Server) -> None:
        self._id = uuid.uuid4().hex
        self.known = KnownEra(self._id)
        self.connection = PersistentConnection(server, self.known.arrive)
        self._batch = 0
        self._noted: Row = ()

    async def run(self, batch: list[Write[Any]]) -> None:
        """Carry out a batch in one transaction, begun again while other workers are faster."""
        for _ in range(ATTEMPTS):
            try:
                return await self._attempt(batch)
            except ConnectionLostError:
                if await self._was_committed():
                    return self.known.keep(self._batch, self._noted)
            except psycopg.Error as error:
                await self._roll_back()
                if not _may_be_repeated(error):
                    return await self._failed(batch, error)
            except Exception:
                await self._roll_back()
                raise
        raise StoreError("other workers keep changing the same jobs; nothing was changed: try again")

    async def _attempt(self, batch: list[Write[Any]]) -> None:
        if len(batch) > 1 or not await self._attempt_alone(batch[0]):
            await self._attempt_together(batch)

    async def _attempt_alone(self, operation: Write[Any]) -> bool:
        """One round trip, if that is enough; whether it was. What is lost during it is in doubt."""
        statement = operation.alone(self.known, self._batch + 1)
        if statement is None:
            return False
        self._batch += 1
        self._noted = self.known.last
        operation.failure = operation.outcome = None
        (told,) = await self.connection.ask([statement])
        for transaction, *_ in told:
            self.known.keep(self._batch, (None, None, transaction))
        return bool(told)

    async def _attempt_together(self, batch: list[Write[Any]]) -> None:
        """Two round trips: lock and read, then write and commit. Only what is lost during the second is in doubt."""
        kinds = _steps_of(batch)
        self._batch += 1
        opening = [Statement("BEGIN"), self.known.note(self._batch)]
        questions = [next(each) for each in kinds]
        answers = await _ask_again(self.connection, [*opening, *(each for some in questions for each in some)])
        (self._noted,) = answers[1]
        del answers[: len(opening)]
        statements: list[Statement] = []
        for steps, asked in zip(kinds, questions, strict=True):
            statements += steps.send(answers[: len(asked)])
            del answers[: len(asked)]
        sign = self.known.weigh(self._noted, met_copy=any(each.met_copy for each in batch))
        if sign is not None:
            statements += self.known.begin_era(self._noted)
        *_, last, _ = [[], *await self.connection.ask([*statements, Statement("COMMIT")])]
        self.known.keep(self._batch, self._noted)
        if sign is not None:
            ((self.known.era,),) = last
            tell_restore(sign)

    async def _was_committed(self) -> bool:
        """Whether the transaction whose answer got lost took place; raises StoreError when nobody can say.

        Its own row tells: it is locked until the lost connection's transaction is over.
        """
        for seconds in DOUBT_PAUSES_SECONDS:
            await asyncio.sleep(seconds)
            with suppress(StoreError, ConnectionLostError, psycopg.Error):
                (((last,),),) = await self.connection.ask([Statement(_LAST_BATCH, (self._id,))])
                return bool(last == self._batch)
        raise StoreError(
            "PostgreSQL went away during a commit: whether it took place is unknown; read before repeating",
            maybe_done=True,
        )

    async def _roll_back(self) -> None:
        try:
            await self.connection.ask([Statement("ROLLBACK")])
        except (psycopg.Error, ConnectionLostError, StoreError):
            await self.connection.drop()

    async def _failed(self, batch: list[Write[Any]], error: psycopg.Error) -> None:
        """Find the one call PostgreSQL takes offence at, so that it fails alone."""
        if len(batch) == 1 or not _is_about_values(error):
            raise store_error(error) from None
        for each in batch:
            try:
                await self.run([each])
            except StoreError as refusal:
                each.failure = refusal


_LAST_BATCH: Final = "SELECT max(batch) FROM (SELECT batch FROM writer WHERE id = %s FOR UPDATE) AS mine"


async def _ask_again(connection: PersistentConnection, statements: Sequence[Statement]) -> list[list[Row]]:
    """Ask, and once more over a new connection when the old one turns out to be gone: nothing was committed on it."""
    try:
        return await connection.ask(statements)
    except ConnectionLostError:
        pass
    try:
        return await connection.ask(statements)
    except ConnectionLostError:
        raise StoreError("the connection to PostgreSQL was lost; nothing was changed: try again") from None


def _steps_of(batch: Sequence[Write[Any]]) -> list[Steps]:
    kinds: dict[Callable[[Sequence[Any]], Steps], list[Write[Any]]] = {}
    for each in sorted(batch, key=lambda operation: operation.rank):
        each.failure = each.outcome = None
        each.met_copy = False
        kinds.setdefault(each.steps, []).append(each)
    return [steps(operations) for steps, operations in kinds.items()]


def _fail(batch: Sequence[Operation[Any]], error: Exception) -> None:
    """One error for each caller: tracebacks of one must not grow on another."""
    for operation in batch:
        operation.failure = copy(error) if isinstance(error, StoreError) else error


def _may_be_repeated(error: psycopg.Error) -> bool:
    """Whether another worker was faster: serialization, deadlock, or a row that has been there for a moment."""
    return error.sqlstate in {"40001", "40P01", "23505"}


def _is_about_values(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError | psycopg.errors.ProgramLimitExceeded)
