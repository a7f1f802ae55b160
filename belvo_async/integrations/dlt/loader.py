"""Loads into a mirror: whole packages of dlt, one at a time, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from ...errors import SinkError
from .hushed import hushed
from .installed import load
from .places.place import Hold, MirrorPlace
from .spool import LoadedList, LoadedPart, Spool
from .tables import MirrorTable
from .views import make_views
from .workroom import Workroom

PIPELINE: Final = "belvo_async_mirror"
PARTS: Final = "mirror_parts"
LISTS: Final = "mirror_lists"
# Of this pipeline only: other pipelines of the process are as their owner wants them. Nothing is told to dlt's makers;
# no row stays in a folder or in the schema that loads go through.
_SETTINGS: Final = {
    "runtime.dlthub_telemetry": False,
    "load.truncate_staging_dataset": True,
    "load.delete_completed_jobs": True,
    "load.workers": 4,
}
# Of what a note is told, a load must have ended: a kill may have come between two of its tables.
_TABLES: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
_NOTES: Final = """
SELECT {columns} FROM {schema}.{table} WHERE _dlt_load_id IN (SELECT load_id FROM {schema}._dlt_loads WHERE status = 0)
"""
_NOTE_HINTS: Final = {
    PARTS: {
        "primary_key": ["job", "resource"],
        "columns": [{"name": each, "data_type": "date"} for each in ("period_first", "period_last")],
    },
    LISTS: {
        "primary_key": ["vendor", "listing", "subject"],
        "columns": [{"name": each, "data_type": "timestamp"} for each in ("cursor", "read_at")],
    },
}


# Of one process: DuckDB lets every connection of it into a file.
_one_at_a_time: Final = threading.Lock()


class Noted(NamedTuple):
    """What a mirror has by its own notes: jobs whose rows are there, and lists that were read. Grows with loads."""

    jobs: set[str]
    lists: dict[tuple[str, str, str], LoadedList]


class Loader:
    """Loads what was spooled. What comes while a load is under way goes together into the next one.

    `is_busy`: whether a load is under way, or waits to be.
    """

    def __init__(self, place: MirrorPlace, room: Workroom) -> None:
        self._place = place
        self._room = room
        # dlt keeps its context by threads: it always meets the same one.
        self._thread = ThreadPoolExecutor(1, "belvo-async-mirror")
        self._lock = threading.Lock()
        self._waiting: list[tuple[Spool, Future[None]]] = []
        self._under_way = 0

    @property
    def is_busy(self) -> bool:
        """See the class."""
        return self._under_way > 0

    def submit(self, spool: Spool) -> Future[None]:
        """Load it as soon as may be. The future raises SinkError; then nothing of it counts as loaded."""
        future: Future[None] = Future()
        # Who waits for it may be cancelled; the load goes on.
        future.set_running_or_notify_cancel()
        with self._lock:
            self._under_way += 1
            self._waiting.append((spool, future))
        self._thread.submit(self._load_waiting)
        return future

    def close(self) -> None:
        """Wait for the load that is under way, if one is."""
        self._thread.shutdown()

    def held(self) -> Noted:
        """Read the mirror's notes; nothing where there is no mirror yet."""
        with _one_at_a_time, self._place.hold() as held:
            there = {str(name) for (name,) in held.query(_TABLES, self._place.schema)}
            jobs = self._notes(held, PARTS, ("job",)) if PARTS in there else []
            lists = self._notes(held, LISTS, LoadedList.__struct_fields__) if LISTS in there else []
        noted = [LoadedList(**dict(zip(LoadedList.__struct_fields__, row, strict=True))) for row in lists]
        return Noted({str(job) for (job,) in jobs}, {(each.vendor, each.listing, each.subject): each for each in noted})

    def make_views(self) -> tuple[str, ...]:
        """Make the views of the mirror; their names. Raises SinkError."""
        with _one_at_a_time, self._place.hold() as held:
            try:
                return make_views(held, self._place.schema)
            except Exception as error:  # noqa: BLE001 - whatever the database says: it may hold what stands there
                text = (
                    f"the views of {self._place.name} could not be made ({type(error).__name__}): the tables are whole"
                )
                raise SinkError(text, path=self._place.name) from None

    def _notes(self, held: Hold, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        sql = _NOTES.format(columns=", ".join(f'"{each}"' for each in columns), schema=self._place.schema, table=table)
        return held.query(sql)

    def _load_waiting(self) -> None:
        with self._lock:
            taken = _apart(self._waiting)
            self._waiting = [each for each in self._waiting if each not in taken]
        if not taken:
            return
        try:
            self._load([spool for spool, _ in taken])
        except SinkError as error:
            self._end(taken, error)
        except Exception as error:  # noqa: BLE001 - whatever dlt raises: it may hold rows, and is not repeated
            self._end(taken, _failed(self._place.name, error))
        else:
            self._end(taken, None)
        # What could not go along.
        self._thread_again()

    def _thread_again(self) -> None:
        with self._lock:
            is_left = bool(self._waiting)
        if is_left:
            self._load_waiting()

    def _end(self, taken: Sequence[tuple[Spool, Future[None]]], error: SinkError | None) -> None:
        if error is not None:
            self._room.forget_loads()
        with self._lock:
            self._under_way -= len(taken)
        for _, future in taken:
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _load(self, spools: Sequence[Spool]) -> None:
        dlt = load("dlt")
        for name, value in _SETTINGS.items():
            dlt.config[f"{PIPELINE}.{name}"] = value
        with _one_at_a_time, self._place.hold() as held:
            pipeline = dlt.pipeline(
                PIPELINE,
                pipelines_dir=str(self._room.pipelines),
                destination=held.destination,
                dataset_name=self._place.schema,
            )
            with hushed():
                pipeline.run(dlt.source(_resources, name="mirror")(spools))


def _apart(waiting: Sequence[tuple[Spool, Future[None]]]) -> list[tuple[Spool, Future[None]]]:
    """Those that may be loaded together: a record that is in two of them is to become one, and not two."""
    met: dict[tuple[str, str], set[str]] = {}
    taken: list[tuple[Spool, Future[None]]] = []
    for each in waiting:
        ids = each[0].ids
        if met.setdefault(each[0].place, set()).isdisjoint(ids):
            met[each[0].place] |= ids
            taken.append(each)
    return taken


def _resources(spools: Sequence[Spool]) -> list[Any]:
    # A table is there once it had a row; those below it with it, so that what joins them finds them.
    tables = {table.name: table for spool in spools if spool.rows for table in spool.tables}
    notes = [spool.note for spool in spools]
    made = [_resource(table, spools) for table in tables.values()]
    for name, kind in ((PARTS, LoadedPart), (LISTS, LoadedList)):
        rows = [msgspec.to_builtins(each, builtin_types=(datetime,)) for each in notes if isinstance(each, kind)]
        if rows:
            disposition = {"disposition": "merge", "strategy": "upsert"}
            made.append(load("dlt").resource(rows, name=name, write_disposition=disposition, **_NOTE_HINTS[name]))
    return made


def _resource(table: MirrorTable, spools: Sequence[Spool]) -> Any:
    def rows() -> Iterator[Any]:
        yield table.schema().empty_table()
        for spool in spools:
            yield from spool.read(table)

    return load("dlt").resource(rows, name=table.name, **table.hints())


def _failed(place: str, error: Exception) -> SinkError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = (
        f"rows could not be loaded into {place} ({type(cause).__name__}): "
        "mend that and give the same command again; what was loaded before stays"
    )
    return SinkError(text, path=place)
