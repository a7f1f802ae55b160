"""The contract of a place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class Hold(Protocol):
    """A place while it is ours alone: other mirrors wait, so that two loads never meet."""

    @property
    def destination(self) -> Any:
        """What dlt loads into."""
        ...

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask; values stand for `?`."""
        ...

    def execute(self, sql: str) -> None:
        """Carry out a statement."""
        ...


class MirrorPlace(Protocol):
    """A database, and the schema of it that a mirror is in. Blocking: called from threads.

    Errors name the place and never a value, a user or a password.
    """

    @property
    def name(self) -> str:
        """What receipts know it by. Holds no secret."""
        ...

    @property
    def schema(self) -> str:
        """The schema that the tables are in."""
        ...

    def check(self) -> None:
        """ConfigurationError where nothing can be written, in a sentence that says what to do."""
        ...

    def hold(self) -> AbstractContextManager[Hold]:
        """Take the place for a moment. SinkError where somebody else has it for too long, or it cannot be reached."""
        ...
