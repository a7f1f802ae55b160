"""What a job is about, in words that can be read without the code of its task: for whoever reads a store by SQL."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec

from .extent import Extent
from .model import Task, UnknownTask

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ENTITY: Final = re.compile(rf"(?:/\w+/)?({_UUID})", re.IGNORECASE | re.ASCII)
_RFC: Final = re.compile(r"(?<![A-Z0-9&])[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}(?![A-Z0-9])", re.IGNORECASE)
# What no system reads as anything but a name, and no reader of folders as hidden.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


class Outline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Kept beside a job, and never read here: a task tells all of it.

    `subject` is as `subject_word` has it; `directions` are empty of a task that brings nothing a plan could want.
    """

    subject: str
    resource: str
    directions: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


def outline_of(task: Task[Any]) -> Outline | None:
    """The outline of a task; None of one whose type is not loaded, or that has no subject."""
    if isinstance(task, UnknownTask):
        return None
    try:
        subject, resource = task.subject, task.resource
    except NotImplementedError:
        return None
    extent = task.extent or _NOTHING
    return Outline(
        subject=subject_word(subject),
        resource=resource,
        directions=extent.directions,
        first=extent.first,
        last=extent.last,
    )


_NOTHING: Final = Extent(directions=())


@lru_cache(maxsize=1024)
def subject_word(subject: str) -> str:
    """A subject as outsiders may see it: its UUID. For an RFC, and for what may hold one, stands a digest."""
    if match := _ENTITY.fullmatch(subject):
        return match.group(1).lower()
    return harmless_word(subject)


def harmless_word(text: str) -> str:
    """A word as it is where it is harmless, else a digest of it."""
    if _HARMLESS.fullmatch(text) and not _RFC.search(text):
        return text
    return f"x{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
