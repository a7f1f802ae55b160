"""What happened in a run: the lines that a failing seed prints, and the hash that proves determinism."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass
class Trace:
    """Lines of (virtual time, actor, event), and the invariants found broken on the way."""

    loop: asyncio.AbstractEventLoop
    lines: list[tuple[float, str, str]] = field(default_factory=lambda: list[tuple[float, str, str]]())
    broken: list[str] = field(default_factory=lambda: list[str]())

    def note(self, actor: str, event: str) -> None:
        self.lines.append((self.loop.time(), actor, event))

    def check(self, holds: bool, rule: str) -> None:
        """Note an invariant that does not hold; the run goes on, so that the trace shows what followed."""
        if not holds:
            self.note("CHECK", rule)
            self.broken.append(rule)

    def digest(self) -> str:
        text = "\n".join(f"{at:.6f} {actor} {event}" for at, actor, event in self.lines)
        return hashlib.sha256(text.encode()).hexdigest()

    def show(self, last: int = 400) -> str:
        return "\n".join(f"{at:12.4f}  {actor:<8} {event}" for at, actor, event in self.lines[-last:])
