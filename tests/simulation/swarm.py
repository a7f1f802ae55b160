"""Which faults a seed has, and how often: drawn first, so that rare combinations appear."""

from __future__ import annotations

import random
from collections import Counter

# Fault kind -> how often it happens where it can, at most.
KINDS = {
    "request lost": 0.3,
    "answer lost": 0.3,
    "arrives late": 0.2,
    "throttled": 0.3,
    "gateway error": 0.2,
    "refused": 0.1,
    "store slow": 0.6,
    "store call fails": 0.08,
    "store down": 1.0,
    "webhook early": 0.6,
    "webhook late": 0.5,
    "webhook dropped": 0.7,
    "webhook repeated": 0.6,
    "webhook forged": 0.5,
    "flood of strangers": 0.8,
    "webhook hint only": 0.4,
    "webhook given up": 0.3,
    "job lost by vendor": 0.15,
    "list lags": 0.5,
    "unknown word": 0.4,
    "partial": 0.3,
    "waiter cancelled": 0.3,
    "waiter impatient": 0.4,
    "submit cancelled": 0.2,
    "equal task": 0.5,
    "stop": 0.3,
    "stop at once": 0.5,
    "refresh": 0.4,
    "resubmit": 0.8,
    "abandon": 0.2,
    "equal task much later": 0.5,
    "restart": 1.0,
    "second worker": 1.0,
    "short deadline": 0.9,
}


class Swarm:
    """Answers "does this go wrong now?" from one seeded source, and counts what was reached."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.hits: Counter[str] = Counter()
        self.on = True
        density = self.chance.choice((0.15, 0.4, 0.7))
        self.rates = {
            kind: most * self.chance.random() for kind, most in KINDS.items() if self.chance.random() < density
        }
        for kind in ("store down", "restart", "second worker"):
            self.rates[kind] = float(kind in self.rates)

    def happens(self, kind: str) -> bool:
        """Whether this fault strikes now; counted when it does."""
        if not self.on or self.chance.random() >= self.rates.get(kind, 0.0):
            return False
        self.hits[kind] += 1
        return True

    def has(self, kind: str) -> bool:
        """Whether this seed knows the fault at all."""
        return self.rates.get(kind, 0.0) > 0

    def reach(self, branch: str) -> None:
        """Count a branch of the tracker that was reached."""
        self.hits[branch] += 1

    def between(self, low: float, high: float) -> float:
        """Draw evenly from a span."""
        return low + (high - low) * self.chance.random()

    def span(self, longest: float) -> float:
        """Draw a span, mostly short, at times long."""
        return float(longest * self.chance.random() ** 4)
