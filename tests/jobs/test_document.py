"""Jobs as documents, and ids as they are compared."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from belvo_async.jobs import (
    Evidence,
    Failure,
    Job,
    Quiet,
    Report,
    Schedule,
    Status,
    Submission,
    Task,
    UnknownTask,
    Way,
    decode_job,
    encode_job,
    normal_id,
    read_task,
    task_key,
)
from tests.jobs.flat import flat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class DocumentTask(Task[object], frozen=True, kw_only=True, tag="document.Task"):
    """A task whose type is loaded."""

    owner: str
    year: int = 2025


instants = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds))
words = st.text(max_size=20)


def maybe(some: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | some


jobs = st.builds(
    flat,
    id=words,
    vendor=words,
    account=words,
    task=st.builds(DocumentTask, owner=words, year=st.integers(0, 9999)),
    created_at=instants,
    key=words,
    lane=maybe(words),
    status=st.sampled_from(Status),
    vendor_status=maybe(words),
    remote_id=maybe(words),
    failure=maybe(st.builds(Failure, code=words, message=words, retryable=st.booleans())),
    partial=st.booleans(),
    settled_by=maybe(st.sampled_from(Way)),
    settled_at=maybe(instants),
    created_count=maybe(st.integers(0, 2**62)),
    deadline=maybe(instants),
    attempted_at=maybe(instants),
    attempts=st.integers(0, 2**62),
    sender=maybe(words),
    doubt=maybe(words),
    absent_since=maybe(instants),
    polls=st.integers(0, 2**62),
    next_poll=maybe(instants),
    planned_at=maybe(instants),
    quiet=maybe(st.builds(Quiet, fingerprint=words, first_at=instants, last_at=instants)),
    reports=st.lists(st.builds(Report, resource=words, at=instants), max_size=2).map(tuple),
    gone_count=st.integers(0, 2**62),
    gone_since=maybe(instants),
    overtaken_at=maybe(instants),
    version=st.integers(0, 2**62),
)


@given(jobs)
def test_job_comes_back_as_it_was_kept(job: Job) -> None:
    """Encoding and decoding loses nothing."""
    assert job == decode_job(encode_job(job))


@given(jobs, st.dictionaries(words, st.integers() | words, max_size=3))
def test_task_of_an_unknown_kind_is_kept_word_for_word(job: Job, facts: dict[str, object]) -> None:
    """A store shared with a newer version gives the task back as it was, however often it is written."""
    body = msgspec.json.encode({**facts, "kind": "newer.Kind"})
    job = replace(job, task=read_task(body))

    again = decode_job(encode_job(decode_job(encode_job(job))))

    assert isinstance(again.task, UnknownTask)
    assert ("newer.Kind", body) == (again.task.kind, bytes(again.task.body))


def test_job_of_an_earlier_build_is_refused() -> None:
    """One that has its parts' fields beside the others would be read as never sent, and sent again."""
    job = {"id": "1", "vendor": "v", "account": "a", "task": {}, "created_at": NOW, "attempted_at": NOW}

    with pytest.raises(msgspec.ValidationError):
        decode_job(msgspec.json.encode({"job": job, "task": {"kind": "test.DocumentTask", "owner": "x"}}))


@pytest.mark.parametrize(
    ("part", "replace_in"),
    [(Submission, Job.submitted), (Schedule, Job.scheduled), (Evidence, Job.weighed)],
)
def test_each_field_of_a_part_can_be_replaced(part: type[msgspec.Struct], replace_in: Callable[..., Job]) -> None:
    """What `submitted`, `scheduled` and `weighed` take is what their parts have."""
    (changes,) = get_args(get_type_hints(replace_in)["changes"])

    assert get_type_hints(part) == get_type_hints(changes)


def test_job_pickles() -> None:
    """Jobs travel in errors to other processes."""
    job = Job(id="1", vendor="v", account="a", task=DocumentTask(owner="x"), created_at=NOW)

    assert job == pickle.loads(pickle.dumps(job))


def test_key_tells_tasks_and_accounts_apart() -> None:
    """Equal keys mean equal tasks of one account."""
    task = DocumentTask(owner="x")

    keys = {task_key("a", task), task_key("b", task), task_key("a", replace(task, year=2024))}

    assert 3 == len(keys)
    assert task_key("a", task) == task_key("a", DocumentTask(owner="x", year=2025))


@given(st.uuids(), st.sampled_from((str.upper, str.lower)))
def test_uuid_is_one_id_in_every_spelling(value: uuid.UUID, spell: object) -> None:
    """Dashes and letter case do not tell ids apart."""
    assert value.hex == normal_id(str(value).upper()) == normal_id(value.hex) == normal_id(str(value))


@pytest.mark.parametrize("name", ["", "42", "Extraction-7", "a" * 31, "a" * 33])
def test_other_ids_are_compared_as_they_are(name: str) -> None:
    """What is no UUID is left alone."""
    assert name == normal_id(name)


@given(words)
def test_normal_form_is_stable(name: str) -> None:
    """Normalising twice is normalising once."""
    assert normal_id(name) == normal_id(normal_id(name))
