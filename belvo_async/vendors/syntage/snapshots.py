"""What Syntage says of an extraction, from whichever place, read leniently; and whether two ask for the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, cast

import msgspec

from ...discreet import discreet
from ...errors import PayloadError
from ...jobs import Failure, Job, Seen, Status, Way
from ...payload import decode
from ...tolerant import count_of, elements_of
from .schema.options import INVOICE_TYPES, Period
from .schema.tasks import Extraction

# The eight words of the prose tables (resources/core/extractions); the OpenAPI enum lacks `waiting` and `cancelled`.
STATUSES: Final[Mapping[str, Status]] = {
    "pending": Status.PENDING,
    "waiting": Status.PENDING,
    "running": Status.RUNNING,
    "stopping": Status.STOPPING,
    "finished": Status.FINISHED,
    "failed": Status.FAILED,
    "stopped": Status.STOPPED,
    "cancelled": Status.STOPPED,
}

# Error codes and whether Syntage advises a new extraction (resources/core/extractions, error codes).
FAILURES: Final[Mapping[str, tuple[bool, str]]] = {
    "invalid_credentials": (False, "the SAT refuses the credentials; their owner must renew them"),
    "login_failed": (True, "the SAT refused or broke the login"),
    "sat_unavailable": (True, "the SAT's portal is down; try again in hours rather than seconds"),
    "internal_error": (True, "Syntage failed inside"),
    "unrecoverable": (True, "the extraction failed many times inside Syntage"),
    "undefined": (True, "Syntage gives no reason"),
}

# The SAT caps downloads per RFC and 24 hours (using-syntage/faq/extractions-and-refreshes).
SAT_LIMIT_SPAN: Final = timedelta(hours=24)

_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
_CODE: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_DOCUMENT: Final = msgspec.json.Decoder(object)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An extraction as some answer, row or event showed it. Whatever was missing or of a strange type is None."""

    remote_id: str
    word: str | None = None
    rfc: str | None = None
    extractor: str | None = None
    options: Mapping[str, object] | None = None
    error_code: str | None = None
    is_rate_limited: bool = False
    rate_limited_at: datetime | None = None
    created_count: int | None = None
    updated_count: int | None = None
    created_at: datetime | None = None

    @property
    def status(self) -> Status | None:
        """Our word for the vendor's, None for a word that is not documented."""
        return STATUSES.get(self.word or "")

    def observe(
        self, way: Way, at: datetime, *, job: Job | None = None, delivery_id: str | None = None, is_new: bool = False
    ) -> Seen:
        """Say it as an observation; `is_new` reads an unknown word of a job just accepted or found as pending."""
        status = self.status or (Status.PENDING if is_new else None)
        return Seen(
            way=way,
            at=at,
            status=status,
            vendor_status=self.word,
            job_id=job.id if job else None,
            remote_id=self.remote_id,
            delivery_id=delivery_id,
            failure=_name_failure(self.error_code) if status is Status.FAILED else None,
            partial=self.is_rate_limited,
            # Whatever instant is named, the limit was met by now: no later one is believed.
            retry_at=min(self.rate_limited_at, at) + SAT_LIMIT_SPAN if self.rate_limited_at else None,
            created_count=self.created_count,
            updated_count=self.updated_count,
        )

    def __repr__(self) -> str:
        return f"Snapshot({self.remote_id}, {self.word})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("remote_id", self.remote_id)]


def _name_failure(code: str | None) -> Failure | None:
    if code is None:
        return None
    retryable, message = FAILURES.get(code, (False, "a code that Syntage does not document"))
    return Failure(code=code, message=message, retryable=retryable)


@discreet
def read_document(body: bytes) -> dict[str, object]:
    """Decode a body that must be a JSON object, or raise PayloadError."""
    return _need_object(decode(body, _DOCUMENT))


def _need_object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PayloadError("expected an object")
    return cast("dict[str, object]", value)


def read_snapshot(row: Mapping[str, object], *, remote_id: str | None = None) -> Snapshot | None:
    """Read an extraction object; None without an id. `remote_id` stands in for a missing one."""
    named = _read_id(row.get("id")) or _read_id(row.get("@id")) or remote_id
    if named is None:
        return None
    limited = row.get("rateLimitedAt")
    return Snapshot(
        remote_id=named,
        word=_read_code(row.get("status")),
        rfc=_read_text(read_object(row.get("taxpayer")).get("id")),
        extractor=_read_text(row.get("extractor")),
        options=read_object(row.get("options")),
        error_code=_read_code(row.get("errorCode")),
        is_rate_limited=bool(limited),
        rate_limited_at=_read_instant(limited),
        created_count=count_of(row.get("createdDataPoints")),
        updated_count=count_of(row.get("updatedDataPoints")),
        created_at=_read_instant(row.get("createdAt")),
    )


def _read_id(value: object) -> str | None:
    """Read an id or the last step of an IRI like `/extractions/<uuid>`."""
    last = value.rpartition("/")[2] if isinstance(value, str) else ""
    return last if _ID.fullmatch(last) else None


def _read_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_code(value: object) -> str | None:
    # Codes go into events and logs: nothing that could be free text.
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None


def read_object(value: object) -> dict[str, object]:
    """Read an object, by itself or as the only one of an array; what is none is empty."""
    if isinstance(value, list):
        value = cast("list[object]", value)[0] if len(cast("list[object]", value)) == 1 else None
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _read_instant(value: object) -> datetime | None:
    """Read any of the three date forms, a plain date as its midnight; without a zone it is UTC."""
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
        if instant is None or instant.tzinfo is not None:
            return instant.astimezone(UTC) if instant else None
    except (ValueError, OverflowError):
        return None
    return instant.replace(tzinfo=UTC)


class SnapshotPage(msgspec.Struct, frozen=True):
    """The extractions of a page; `misfits` tells of rows that could not be read: the kind of error and the path."""

    rows: tuple[Snapshot, ...]
    misfits: tuple[str, ...] = ()


class RawPage(msgspec.Struct, frozen=True):
    """One page of a list as it came: its rows, and the link to the next page as written."""

    rows: list[object]
    next: str | None


@discreet
def read_page(body: bytes) -> RawPage:
    """Read a page, with prefixed or plain Hydra keys, or a bare array; raise PayloadError when it holds no rows."""
    page: object = decode(body, _DOCUMENT)
    is_object = isinstance(page, dict)
    known = cast("dict[str, object]", page) if is_object else {}
    view = read_object(known.get("hydra:view", known.get("view")))
    rows = _read_members(known.get("hydra:member", known.get("member")) if known else page)
    return RawPage(rows, _read_text(view.get("hydra:next", view.get("next"))))


@discreet
def read_snapshots(page: RawPage) -> SnapshotPage:
    """Read the extractions of a page. One row that cannot be read does not hide the others."""
    rows: list[Snapshot] = []
    misfits: list[str] = []
    for place, each in enumerate(page.rows):
        try:
            seen = read_snapshot(read_object(each))
        except Exception as error:  # noqa: BLE001 - one row must not hide the others
            misfits.append(f"{type(error).__name__} at $.hydra:member[{place}]")
        else:
            rows += [seen] if seen is not None else []
    return SnapshotPage(tuple(rows), tuple(misfits))


def _read_members(members: object) -> list[object]:
    """Read the rows of a page: PHP writes an array with gaps as an object.

    Nothing where rows should be is no empty list: jobs that are missing from one count as gone.
    """
    if isinstance(members, dict) and members:
        found = cast("dict[str, object]", members)
        rows = elements_of(found)
        return [found] if rows is None else rows
    if not isinstance(members, list):
        raise PayloadError("expected an array", path="$.hydra:member")
    return cast("list[object]", members)


# Filled in by Syntage when a request leaves them out (api-reference/extractions/overview).
_DEFAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "invoice": {
        "types": list(INVOICE_TYPES),
        "issued": True,
        "received": True,
        "xml": True,
        "pdf": True,
        "complement": -1,
    }
}


def is_same_work(task: Extraction, seen: Snapshot) -> bool:
    """Tell whether an extraction at the vendor asks for what the task asks for (its taxpayer left aside).

    `options` come back with defaults filled in and dates reformatted, so defaults are filled in on both sides, a plain
    date equals any moment of that UTC day, and the order of lists does not matter. An option the task leaves to the
    vendor may have any value.
    """
    if seen.extractor != task.extractor:
        return False
    defaults = _DEFAULTS.get(task.extractor, {})
    theirs = {**defaults, **{name: value for name, value in (seen.options or {}).items() if value is not None}}
    ours = {**defaults, **task.sent_options()}
    echoed = theirs.pop("period", None)
    ours.pop("period", None)
    if task.period is not None and not _is_same_period(task.period, read_object(echoed)):
        return False
    return all(_freeze(theirs.get(name)) == _freeze(value) for name, value in ours.items())


def _is_same_period(period: Period, echoed: Mapping[str, object]) -> bool:
    return _is_same_moment(period.from_, echoed.get("from")) and _is_same_moment(period.to, echoed.get("to"))


def _is_same_moment(ours: date, echoed: object) -> bool:
    theirs = _read_instant(echoed)
    if theirs is None:
        return False
    if isinstance(ours, datetime) and len(str(echoed)) > len("2025-03-01"):
        # Syntage prints milliseconds, so finer parts may be lost.
        return abs(ours - theirs) < timedelta(seconds=1)
    return theirs.date() == (ours.date() if isinstance(ours, datetime) else ours)


def _freeze(value: object) -> object:
    if isinstance(value, list):
        return sorted(str(each) for each in cast("list[object]", value))
    return value
