"""What the memory store parks: early deliveries, by every key they are asked for."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

import msgspec

from ...jobs import Observation, normal_id
from ..parked import Evicted, Label, Load, evict, label_of
from ..rules import Bounds, identity

# What an observation is listed under: its account, its remote id, what may adopt it.
_Key = tuple[str, ...]


@dataclass(slots=True, frozen=True)
class _Item:
    number: int
    account: str
    seen: Observation
    label: Label
    size: int
    mark: bytes


class Parked:
    """Observations that wait for their job. `could_claim` tells what a job of the store could claim now."""

    def __init__(self, bounds: Bounds, could_claim: Callable[[str, Label], bool]) -> None:
        self._bounds = bounds
        self._could_claim = could_claim
        self._last = 0
        self._bytes = 0
        self._by_mark: dict[tuple[str, bytes], _Item] = {}
        # In the order of parking.
        self._reports: dict[int, _Item] = {}
        self._others: dict[int, _Item] = {}
        # In the order of instants.
        self._orders: dict[_Key, list[tuple[datetime, int, _Item]]] = {}

    def __len__(self) -> int:
        return len(self._by_mark)

    def add(self, account: str, seen: Observation) -> Evicted:
        """Keep an observation, once; what had to go for it."""
        mark, size = identity(seen), len(msgspec.json.encode(seen))
        self._bounds.admit(size)
        if (account, mark) in self._by_mark:
            return Evicted()
        self._last += 1
        item = _Item(self._last, account, seen, label_of(seen), size, mark)
        self._by_mark[account, mark] = item
        self._bytes += size
        self._queue(item)[item.number] = item
        for key in _keys(item):
            insort(self._orders.setdefault(key, []), (seen.at, item.number, item))
        return evict(self, self._bounds)

    def drop(self, account: str, seen: Observation) -> None:
        """Drop an observation if it is there."""
        item = self._by_mark.get((account, identity(seen)))
        if item is not None:
            self._drop(item)

    def read(
        self, account: str, remote_id: str | None, before: datetime | None, limit: int | None
    ) -> tuple[Observation, ...]:
        """What is about one remote id, or all of the account, oldest first."""
        key = (account,) if remote_id is None else ("id", account, normal_id(remote_id))
        order = self._orders.get(key, [])
        end = None if before is None else bisect_left(order, (before,))
        return tuple(item.seen for _, _, item in order[:end][:limit])

    def about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """What is about any of these ids, oldest first."""
        if not self._orders:
            return ()
        wanted = {normal_id(each) for each in remote_ids}
        found = chain.from_iterable(self._orders.get(("id", account, each), ()) for each in wanted)
        return tuple(item.seen for _, _, item in sorted(found))

    def adoptable(
        self, account: str, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """What a submission about a subject and resource could adopt, oldest first."""
        order = self._orders.get(("claim", account, normal_id(subject), resource), [])
        start = bisect_left(order, (since,))
        return tuple(item.seen for _, _, item in order[start : start + limit])

    def load(self) -> Load:
        """How much is parked."""
        return Load(len(self._by_mark), self._bytes)

    def drop_strangers(self, limit: int, *, look: int | None, newest: bool = False) -> int:
        """Let strangers go, of the first or last that are looked at."""
        items = chain(reversed(self._others.values()), reversed(self._reports.values()))
        if not newest:
            items = chain(self._reports.values(), self._others.values())
        strangers = (item for item in islice(items, look) if not self._could_claim(item.account, item.label))
        return self._let_go(strangers, limit)

    def drop_claimable(self, limit: int) -> int:
        """Let go of what most is kept of, what was parked longest first."""
        kinds = Counter(_kind(item) for item in self._by_mark.values())
        items = sorted(self._by_mark.values(), key=lambda item: (-kinds[_kind(item)], item.number))
        return self._let_go(items, limit)

    def _let_go(self, items: Iterable[_Item], limit: int) -> int:
        gone = list(islice(items, limit))
        for item in gone:
            self._drop(item)
        return len(gone)

    def _drop(self, item: _Item) -> None:
        del self._by_mark[item.account, item.mark]
        del self._queue(item)[item.number]
        self._bytes -= item.size
        for key in _keys(item):
            order = self._orders[key]
            del order[bisect_left(order, (item.seen.at, item.number))]
            if not order:
                del self._orders[key]

    def _queue(self, item: _Item) -> dict[int, _Item]:
        return self._reports if item.label.is_report else self._others


def _keys(item: _Item) -> Iterator[_Key]:
    label = item.label
    yield (item.account,)
    if label.remote_id is not None:
        yield "id", item.account, label.remote_id
    if label.subject is not None and label.claim is not None:
        yield "claim", item.account, label.subject, label.claim


def _kind(item: _Item) -> tuple[str, str | None, str | None]:
    return item.account, item.label.subject, item.label.claim
