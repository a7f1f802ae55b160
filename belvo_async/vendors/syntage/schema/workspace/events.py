"""Events that nobody needs any more."""

from __future__ import annotations

from typing import ClassVar

from ..forms.requests import Delete


class DeleteEvent(Delete, frozen=True):
    """`DELETE /events/{id}`. What was missed is caught up with from the events: delete none that a session may need."""

    path: ClassVar[str] = "/events/{id}"
