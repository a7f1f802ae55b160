"""Observations of every kind, as hypothesis draws them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st

from belvo_async.jobs import (
    Absent,
    Failure,
    Found,
    GivenUp,
    Gone,
    Later,
    Misread,
    Note,
    Nudge,
    Observation,
    Quiet,
    Reported,
    Seen,
    Status,
    Way,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KINDS: tuple[type[Observation], ...] = get_args(Observation)

# What each kind cannot be without.
OWN: dict[type[Observation], dict[str, Any]] = {
    **{kind: {} for kind in (Seen, Later, Absent, Gone, Found, Nudge, GivenUp, Note)},
    Reported: {"resources": ("A",)},
    Misread: {"misfit": "TypeError at $"},
}


def one_of_each(**facts: Any) -> list[Observation]:
    """An observation of every kind that says nothing but this."""
    usual: dict[str, Any] = {"way": Way.POLL, "at": NOW}
    return [kind(**usual | OWN[kind] | facts) for kind in KINDS]


def maybe(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | some


def instants(seconds: int) -> st.SearchStrategy[datetime]:
    return st.integers(0, seconds).map(lambda each: NOW + timedelta(seconds=each))


def observations(
    *kinds: type[Observation],
    seconds: int = 10_000,
    words: st.SearchStrategy[str] = st.sampled_from(("a", "b")),  # noqa: B008 - a strategy is a value
    remote_ids: st.SearchStrategy[str | None] = st.none(),  # noqa: B008
    statuses: st.SearchStrategy[Status | None] = st.sampled_from((None, *Status)),  # noqa: B008
) -> st.SearchStrategy[Any]:
    """Observations of these kinds, or of all of them, with everything that each may say."""
    some, at = maybe(words), instants(seconds)
    failure = maybe(st.builds(Failure, code=words, message=words, retryable=st.booleans()))
    quiet = maybe(st.builds(Quiet, fingerprint=words, first_at=at, last_at=at, count=st.integers(1, 9)))
    count = maybe(st.integers(0, 9))
    common = {
        "way": st.sampled_from(Way),
        "at": at,
        "job_id": some,
        "remote_id": remote_ids,
        "delivery_id": some,
        "subject": some,
        "resource": some,
        "note": some,
    }
    own: dict[type[Observation], dict[str, st.SearchStrategy[Any]]] = {
        Seen: {
            "status": statuses,
            "vendor_status": some,
            "failure": failure,
            "partial": st.booleans(),
            "retry_at": maybe(at),
            "created_count": count,
            "updated_count": count,
            "doubt": some,
            "quiet": quiet,
            "adoptable": st.booleans(),
        },
        Reported: {"resources": st.lists(words, min_size=1, max_size=3).map(tuple), "vendor_status": some},
        Later: {"retry_at": maybe(at), "doubt": some, "counts": st.booleans()},
        Absent: {"final": st.booleans()},
        GivenUp: {"failure": failure, "quiet": quiet},
        Misread: {"misfit": words},
    }
    return st.one_of([st.builds(kind, **common, **own.get(kind, {})) for kind in kinds or KINDS])
