"""What a session is given. A mistake is told in a sentence where it is made, without repeating a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from ..abc import LONG_AGO, Call, Download, Query, Store, Vendor
from ..accounts import accounts_of
from ..errors import ConfigurationError, TaskError
from ..jobs import Task, Wish
from ..stores import open_store

# Multi-year invoice extractions take hours at either vendor; an hour is documented as too short (Syntage FAQ:
# invoices 5 to 60 minutes, longer for several years).
DEFAULT_DEADLINE: Final = timedelta(hours=6)


def check_vendors(given: Sequence[object]) -> dict[str, Vendor]:
    """The vendors by name. Raises ConfigurationError for none, for what is no vendor, and for two of one kind."""
    if not given:
        raise ConfigurationError("a session needs at least one vendor")
    for place, each in enumerate(given, 1):
        _check_vendor(place, each)
    vendors = cast("Sequence[Vendor]", given)
    by_name = {vendor.name: vendor for vendor in vendors}
    if len(by_name) < len(vendors):
        raise ConfigurationError("two vendors of one kind: open one session for each account")
    accounts = [account for vendor in vendors for account in accounts_of(vendor)]
    if len(set(accounts)) < len(accounts):
        raise ConfigurationError("two vendors under one account: give them names of their own")
    return by_name


def check_store(given: object) -> Store:
    """The store that a URL names, or the one given. Raises ConfigurationError for anything else, a path among it."""
    if isinstance(given, str):
        return open_store(given)
    if isinstance(given, type) or not callable(getattr(given, "claim_due", None)):
        kind = _kind(given)
        raise ConfigurationError(f"`store` is a URL, for a file `sqlite:PATH`, or a store of your own; not {kind}")
    return cast("Store", given)


def check_span(given: object, *, field: str) -> None:
    """Raise TaskError for what is no span of time: a bare number does not say of what."""
    if given is not None and not isinstance(given, timedelta):
        raise TaskError(f"`{field}` is a timedelta, such as timedelta(minutes=5); not {_kind(given)}", field=field)


def deadline_after(span: timedelta | None, now: datetime) -> datetime:
    """When waiting that starts now ends. Raises TaskError for what is no span, lies behind or beyond the calendar."""
    check_span(span, field="deadline")
    span = DEFAULT_DEADLINE if span is None else span
    if span <= timedelta(0):
        raise TaskError("the deadline lies in the past", field="deadline")
    try:
        return now + span
    except OverflowError:
        raise TaskError("the deadline lies beyond the calendar", field="deadline") from None


def read_wish(max_age: timedelta | None, once: str | None, tags: Mapping[str, str] | None, now: datetime) -> Wish:
    """How a task is fired. Raises TaskError for what cannot be kept, or says nothing."""
    fresh_since = None if max_age is None else _since(max_age, now)
    return Wish(
        once=None if once is None else read_name(once, field="once"), tags=read_tags(tags), fresh_since=fresh_since
    )


def read_name(given: object, *, field: str) -> str:
    """Take what something is called by in the store. Raises TaskError."""
    if not isinstance(given, str) or not _is_text(given, at_least=1):
        raise TaskError(f"`{field}` is a printable text of 1 to {_LONGEST} characters", field=field)
    return given


def _since(max_age: timedelta, now: datetime) -> datetime:
    check_span(max_age, field="max_age")
    if max_age <= timedelta(0):
        raise TaskError("`max_age` is positive; leave it out to fire anew", field="max_age")
    try:
        return now - max_age
    except OverflowError:
        return LONG_AGO


def read_tags(given: Mapping[str, str] | None) -> dict[str, str]:
    """Tags as they are kept. Raises TaskError for what cannot be one."""
    if given is None:
        return {}
    if not isinstance(cast("object", given), Mapping):
        raise TaskError(f"`tags` is a mapping of names to texts; not {_kind(given)}", field="tags")
    if len(given) > _MOST_TAGS:
        raise TaskError(f"{len(given)} tags are too many: at most {_MOST_TAGS}", field="tags")
    for name, value in given.items():
        if not isinstance(cast("object", name), str) or not _TAG.fullmatch(name):
            raise TaskError("a tag's name is 1 to 64 of the letters A-Z, a-z, digits, `_`, `.` and `-`", field="tags")
        if not _is_text(value, at_least=0):
            raise TaskError(f"the tag `{name}` is a printable text of at most {_LONGEST} characters", field="tags")
    return dict(given)


def read_instant(given: object, *, field: str) -> datetime | None:
    """Take an instant with its zone, or none. Raises TaskError."""
    if given is not None and (not isinstance(given, datetime) or given.utcoffset() is None):
        wrong = "one without" if isinstance(given, datetime) else _kind(given)
        raise TaskError(f"`{field}` is a datetime with a zone, such as datetime.now(UTC); not {wrong}", field=field)
    return given


def _is_text(given: object, *, at_least: int) -> bool:
    return isinstance(given, str) and at_least <= len(given) <= _LONGEST and given.isprintable()


_LONGEST: Final = 200
_MOST_TAGS: Final = 16
_TAG: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_connections(given: object) -> None:
    """Raise ConfigurationError for what is no number of connections."""
    if not isinstance(given, int) or given < 1:
        raise ConfigurationError("`connections` is at least 1")


def check_text(given: object, *, field: str) -> None:
    """Raise TaskError for what is no text."""
    if not isinstance(given, str):
        raise TaskError(f"`{field}` is a str; not {_kind(given)}", field=field)


# It becomes a part of a path: `..` would lead elsewhere, whatever is quoted.
_REMOTE_ID: Final = re.compile(r"\s*[A-Za-z0-9_-]+\s*")


def check_remote_id(given: object) -> None:
    """Raise TaskError for what can be no vendor's id of a job."""
    if not isinstance(given, str) or not _REMOTE_ID.fullmatch(given):
        text = "`remote_id` is the vendor's id of the job: letters, digits, - and _ only"
        raise TaskError(text, field="remote_id")


# By which method of a session what kind of thing is taken.
_DOORS: Mapping[type[object], str] = {Task: "fire", Query: "list", Call: "call", Download: "download"}


def nobody_takes(kind: str, vendors: Iterable[str]) -> str:
    """Say that no vendor takes such a thing, and which there are: the keys of one may have been forgotten."""
    return f"no vendor of this session takes {kind}; it has {', '.join(vendors)}"


def not_taken(given: object, field: str, vendors: Iterable[str]) -> str:
    """Say why something is not taken where a `field` belongs."""
    if isinstance(given, type):
        return f"`{field}` is {_kind(given)}: make one of it"
    door = next((door for kind, door in _DOORS.items() if isinstance(given, kind)), None)
    if door is None or door == field or (door, field) == ("list", "query"):
        return nobody_takes(type(given).__name__, vendors)
    return f"{type(given).__name__} goes to `session.{door}`"


def _check_vendor(place: int, given: object) -> None:
    if isinstance(given, type):
        raise ConfigurationError(f"argument {place} of Session is {_kind(given)}: call it, or its from_env()")
    if not callable(getattr(given, "read_webhook", None)):
        raise ConfigurationError(f"argument {place} of Session is {_kind(given)}, where a vendor belongs")


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else f"of type {type(given).__name__}"
