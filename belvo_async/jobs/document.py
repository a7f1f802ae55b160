"""A job as the one document a store keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from .model import Job, Task, UnknownTask
from .observations import Observation
from .outline import Outline, outline_of


def task_key(account: str, task: Task[Any]) -> str:
    """Make the key that is equal for equal tasks of one account."""
    # The body of a task whose type is not loaded was encoded where it is, from the same fields in the same order.
    known = task.body if isinstance(task, UnknownTask) else task
    canonical = msgspec.json.encode(known, order="deterministic")
    return hashlib.sha256(account.encode() + b"\0" + canonical).hexdigest()[:32]


def encode_job(job: Job) -> bytes:
    """Encode a job as the one document a store keeps."""
    body = job.task.body if isinstance(job.task, UnknownTask) else msgspec.Raw(msgspec.json.encode(job.task))
    return msgspec.json.encode(_Outlined(facts=replace(job, task=Task()), task=body, outline=outline_of(job.task)))


def decode_job(document: bytes) -> Job:
    """Decode a stored job. A task whose type is not loaded comes back as `UnknownTask`."""
    stored = _DOCUMENT.decode(document)
    return replace(stored.facts, task=read_task(bytes(stored.task)))


def decode_observation(document: bytes) -> Observation:
    """Decode a stored observation."""
    seen: Observation = _OBSERVATION.decode(document)
    return seen


def read_task(body: bytes) -> Task[Any]:
    """Decode a stored task by its kind."""
    kind = _KIND.decode(body).kind
    known = _known_type(kind)
    if known is None:
        for load in _LOADERS:
            load(kind)
        known = _known_type(kind)
    if known is None:
        return UnknownTask(stored_kind=kind, body=msgspec.Raw(body))
    task: Task[Any] = msgspec.json.decode(body, type=known)
    return task


def load_kinds_with(load: Callable[[str], None]) -> None:
    """Have this called with each stored kind whose type is not loaded yet: it may import it."""
    _LOADERS.append(load)


_LOADERS: list[Callable[[str], None]] = []


def _known_type(kind: str) -> type[Task[Any]] | None:
    return next((each for each in _loaded_tasks(Task) if each.__struct_config__.tag == kind), None)


def _loaded_tasks(root: type[Task[Any]]) -> Iterable[type[Task[Any]]]:
    for each in root.__subclasses__():
        yield each
        yield from _loaded_tasks(each)


class _Kind(msgspec.Struct):
    kind: str


class _Document(msgspec.Struct, frozen=True):
    # Not `job`: jobs under that name were kept when none had parts. One that was sent would be read as never sent.
    facts: Job
    task: msgspec.Raw


class _Outlined(_Document, frozen=True):
    # For views of stores, which know no task. What is read as a job passes it over.
    outline: Outline | None


_KIND: Final = msgspec.json.Decoder(_Kind)
_DOCUMENT: Final = msgspec.json.Decoder(_Document)
_OBSERVATION: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Observation)
