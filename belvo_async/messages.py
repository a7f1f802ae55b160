"""Tasks as messages that travel in anybody's queue: the same in every release that knows it."""

from __future__ import annotations

import re
from typing import Any, Final, TypeGuard, cast

import msgspec

from .discreet import discreet
from .errors import TaskError
from .jobs import Task, UnknownTask, read_task

# Raised when what is written changes its meaning; a worker of an older release then refuses it.
FORMAT: Final = 1
_KIND: Final = re.compile(r"[\w.-]{1,80}")


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    task: msgspec.Raw


class _Format(msgspec.Struct):
    format: int


@discreet
def encode_task(task: Task[Any]) -> bytes:
    """Write a task as JSON, to be read by `decode_task` in any process and any later release. It holds no secret.

    Equal tasks give equal bytes. Raises TaskError for what is no task.
    """
    if not isinstance(cast("object", task), Task):
        raise TaskError(f"only tasks can be encoded; not {type(task).__name__}", field="task")
    body = task.body if isinstance(task, UnknownTask) else msgspec.json.encode(task, order="deterministic")
    return msgspec.json.encode(_Message(format=FORMAT, task=msgspec.Raw(body)))


@discreet
def decode_task(message: bytes | str) -> Task[Any]:
    """Read a task that `encode_task` wrote. Raises TaskError.

    What this release would not understand to the last field is refused, not fired as something else: it may have been
    written by a newer one.
    """
    try:
        if msgspec.json.decode(message, type=_Format).format != FORMAT:
            raise TaskError("the task was written in another format: by a newer release?", field="task")
        body = msgspec.json.decode(message, type=_Message).task
        task = read_task(bytes(body))
        lost = _lost(msgspec.json.decode(body), msgspec.json.decode(msgspec.json.encode(task)))
    except (msgspec.MsgspecError, UnicodeError, TypeError, RecursionError):
        # Its own words would quote what was given.
        lost = task = None
    if task is None:
        raise TaskError("this is no task as `encode_task` writes it", field="task")
    if isinstance(task, UnknownTask):
        kind = task.stored_kind if _KIND.fullmatch(task.stored_kind) else "(unreadable)"
        raise TaskError(f"no task of kind {kind} is known here: is its package imported?", field="task")
    if lost is not None:
        raise TaskError(f"{task.kind} tasks of this release have no `{lost}`: a newer one wrote it?", field="task")
    return task


def _lost(given: object, kept: object) -> str | None:
    """The first field that was given and is not kept."""
    if _is_object(given) and _is_object(kept):
        for name, value in given.items():
            lost = name if name not in kept else _lost(value, kept[name])
            if lost is not None:
                return lost
    if _is_list(given) and _is_list(kept):
        return next((lost for one, other in zip(given, kept, strict=False) if (lost := _lost(one, other))), None)
    return None


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
