"""A record against what was known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ..abc.changes import ChangeKind, ChangeRules, RecordStanding
from ..abc.plans import RowPlace
from .fingerprints import UNSAID, WIDTH_BYTES, Fingerprints
from .normal import normal

# The one record of a subject of which a newer one takes the place.
SINGLE: Final = "*"


class KnownRecord(NamedTuple):
    """What is known of a record, or of somebody on records (then without digests).

    `paths` are the fields that `digests` are of, in their order. `words` are the standings that hold, or the stages
    that were seen. `day` and `sides` say where it belongs on a plan's axis.
    """

    paths: Sequence[str] = ()
    digests: bytes = b""
    words: frozenset[str] = frozenset()
    day: int = 0
    sides: tuple[str, ...] = ()


class ToldChange(NamedTuple):
    """A change, before it is said of whom."""

    kind: ChangeKind
    fields: tuple[str, ...] = ()


class Compared(NamedTuple):
    """What came of a comparison: what is to be told, and what is known from now on; None where that is as before."""

    told: tuple[ToldChange, ...]
    known: KnownRecord | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares records of one resource by its vendor's rules."""

    rules: ChangeRules
    prints: Fingerprints

    def key(self, record_id: str) -> str:
        """What a record is kept under: that of another one where it takes its place."""
        return SINGLE if self.rules.is_single else record_id

    def record(self, record: Any, key: str, before: KnownRecord | None, place: RowPlace, *, doubtful: bool) -> Compared:
        """Compare a record. `doubtful`: some of it could not be read, so that what is empty says nothing."""
        is_doubtful = doubtful or self.rules.is_incomplete(record)
        said = self._said(record, key, is_doubtful)
        digests, fields = self._weigh(said, before)
        own = [each for each in self.rules.standings(record) if each.about is None]
        words = self._words(own, before)
        day = 0 if place.day is None else place.day.toordinal()
        after = KnownRecord(self.prints.paths, digests, words, day, tuple(place.directions))
        return Compared(tuple(self._told(own, before, words, fields)), None if after == before else after)

    def party(self, standings: Sequence[RecordStanding], before: KnownRecord | None) -> Compared:
        """Compare what records say of somebody on them."""
        seen = frozenset[str]() if before is None else before.words
        told: list[ToldChange] = []
        for each in standings:
            stage = normal(each.word)
            if each.holds is None or stage in seen or (not each.holds and not seen):
                continue
            seen |= {stage}
            told.append(ToldChange(each.kind if each.holds else ChangeKind.CHANGED, each.fields))
        return Compared(tuple(told), KnownRecord(words=seen) if told else None)

    def parties(self, record: Any) -> Iterator[RecordStanding]:
        """What a record says of others than itself."""
        return (each for each in self.rules.standings(record) if each.about is not None and each.holds is not None)

    def _said(self, record: Any, key: str, is_doubtful: bool) -> Mapping[str, bytes]:
        return _by_path(self.prints.paths, self.prints.digests(record, key, is_doubtful=is_doubtful))

    def _weigh(self, said: Mapping[str, bytes], before: KnownRecord | None) -> tuple[bytes, tuple[str, ...]]:
        """What is known of each field from now on, and which say something else."""
        known = {} if before is None else _by_path(before.paths, before.digests)
        digests: list[bytes] = []
        changed: list[str] = []
        for path, now in said.items():
            then = known.get(path, UNSAID)
            digests.append(then if now == UNSAID else now)
            if UNSAID not in (then, now) and then != now:
                changed.append(path)
        return b"".join(digests), tuple(changed)

    @staticmethod
    def _words(own: Sequence[RecordStanding], before: KnownRecord | None) -> frozenset[str]:
        held = frozenset[str]() if before is None else before.words
        for each in own:
            if each.holds is not None:
                held = held | {str(each.kind)} if each.holds else held - {str(each.kind)}
        return held

    @staticmethod
    def _told(
        own: Sequence[RecordStanding], before: KnownRecord | None, words: frozenset[str], fields: tuple[str, ...]
    ) -> Iterator[ToldChange]:
        if before is None:
            yield ToldChange(ChangeKind.NEW)
        held = frozenset[str]() if before is None else before.words
        news = {str(each.kind): each for each in own if str(each.kind) in words - held}
        for each in news.values():
            yield ToldChange(each.kind, fields or each.fields)
        if fields and not news:
            yield ToldChange(ChangeKind.CHANGED, fields)


def _by_path(paths: Sequence[str], digests: bytes) -> dict[str, bytes]:
    places = range(0, len(digests), WIDTH_BYTES)
    return {path: digests[place : place + WIDTH_BYTES] for path, place in zip(paths, places, strict=True)}
