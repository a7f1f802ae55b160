"""A change, as it is told."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..abc.changes import ChangeKind


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to one record.

    `subject` and `resource` are the plan's words, `record_id` the vendor's id. `fields` are the paths of what says
    something else now (`total`, `receiver.name`); of a new record none, unless they say what the kind tells. `record`
    is it as it is now; None for one that vanished. `at` is when it was noticed, not when it happened. Its repr
    shows no data.
    """

    kind: ChangeKind
    vendor: str
    resource: str
    subject: str
    record_id: str
    at: datetime
    fields: tuple[str, ...] = ()
    record: object | None = None

    def __repr__(self) -> str:
        # A subject may be an RFC.
        return f"<Change {self.kind} {self.resource} {self.record_id}>"
