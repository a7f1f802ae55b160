"""What vendors hold as a source of dlt, for a pipeline of one's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._session import Session
from ...discreet import discreet
from .installed import load
from .lists import OVERLAP, ListReach, ListTask, list_tasks, stream_of
from .sink import job_stream
from .spread import Batch, Stream
from .tables import MirrorTable

if TYPE_CHECKING:
    from dlt.extract import DltSource

OpenSession: TypeAlias = Callable[[], Session]
"""Makes a session that is not open yet: dlt reads on an event loop of its own, where it is opened and closed."""


@discreet
def records(
    open_session: OpenSession,
    *,
    subjects: Mapping[str, Sequence[str]] | None = None,
    lists: Collection[str] | None = (),
    jobs: Sequence[str] = (),
) -> DltSource:
    """A dlt source of lists, and of what ended jobs brought.

        source = records(Session.from_env, subjects={"syntage": entities}, lists=["invoices", "tax_returns"])
        dlt.pipeline("books", destination="duckdb", dataset_name="fiscal").run(source)

    `subjects` by vendor: links or entities, for the lists that are theirs; `lists` by name, None for all there are;
    `jobs` by their ids, of sessions whose store outlives a process. Tables, types, versions and merging are those of
    the mirror, so that a mirror may go on where such a pipeline wrote. How far a list was read is in dlt's own state,
    kept with the load. All is one resource, `records`. Nothing is fired, and nothing paid for.
    Raises ConfigurationError without the extra `dlt`, and for a list that nobody has; what reading raises comes out of
    the pipeline's run.
    """
    dlt = load("dlt")
    tasks = tuple(list_tasks(open_session().vendors, subjects or {}, names=lists))
    resource = dlt.resource(_rows, name="records")
    source: DltSource = dlt.source(lambda: resource(open_session, tasks, tuple(jobs)), name="belvo_async")()
    return source


async def _rows(open_session: OpenSession, tasks: Sequence[ListTask], jobs: Sequence[str]) -> AsyncGenerator[Any]:
    # One resource for all: a record that is met twice, in a list and of a job, is one; and one session reads it.
    cursors: dict[str, str] = load("dlt").current.resource_state().setdefault("cursors", {})
    streams: dict[tuple[str, str], Stream] = {}
    async with open_session() as session:
        for job_id in jobs:
            async for each in _of_job(session, job_id, streams):
                yield each
        for task in tasks:
            async for each in _of_list(session, task, streams, cursors):
                yield each


async def _of_job(session: Session, job_id: str, streams: dict[tuple[str, str], Stream]) -> AsyncGenerator[Any]:
    handle = await session.attach(job_id)
    job = await handle
    vendor, task = session.vendors[job.vendor], job.task
    made = job_stream(vendor, job.vendor, task.resource, task.subject, vendor.results(job).shape.record)
    stream = streams.setdefault(made.place, made)
    async with aclosing(handle.results().batches()) as batches:
        async for batch in batches:
            for each in stream.take(batch).batches:
                yield _marked(*each)


async def _of_list(
    session: Session, task: ListTask, streams: dict[tuple[str, str], Stream], cursors: dict[str, str]
) -> AsyncGenerator[Any]:
    place = f"{task.table}/{task.whose}"
    known = cursors.get(place)
    query = task.rules.query(task.subject, None if known is None else datetime.fromisoformat(known) - OVERLAP)
    stream = streams.setdefault((task.table, task.whose), stream_of(session, task, query))
    reach = ListReach(task.rules.cursor)
    async with aclosing(session.list(query).batches()) as batches:
        async for batch in batches:
            reach.add(batch)
            for each in stream.take(batch).batches:
                yield _marked(*each)
    if reach.last is not None:
        cursors[place] = max(reach.last.isoformat(), known or "")


def _marked(table: MirrorTable, batch: Batch) -> Any:
    """A batch, with the table it goes to and how that is merged."""
    mark = load("dlt").mark
    return mark.with_hints(batch, mark.make_hints(table_name=table.name, **table.hints()), create_table_variant=True)
