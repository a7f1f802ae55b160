"""The Syntage Score of companies: calculated from annual tax returns and compliance, some time after a request."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from ...faults import Dice
from ...origin import Timers
from ...wire import Incoming, JsonObject, Reply, Route
from ..accounts import Accounts
from ..errors import hydra_error
from ..rows.invoices import Entity, OrderedIds, stamp
from ..rows.records import Records
from ..state import UNDER_WAY, SyntageJob
from .bodies import not_found

# How long a calculation takes is not documented.
SECONDS: Final = (5.0, 20.0)
REQUIRED: Final = ("annual_tax_return", "tax_compliance")


@dataclass(kw_only=True)
class Scores:
    """The scores there are, by entity; `jobs` are all extractions."""

    timers: Timers
    accounts: Accounts
    records: Records
    jobs: dict[str, SyntageJob]
    dice: Dice
    now: Callable[[], datetime]
    _rows: dict[str, list[JsonObject]] = field(default_factory=dict[str, list[JsonObject]])
    _from: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def __post_init__(self) -> None:
        self._ids = OrderedIds(self.dice.stream("score_ids"), self.now)

    def of(self, entity: str) -> Sequence[JsonObject]:
        """Give the scores of an entity by its id, as `Score` is documented, newest first. Empty before the first."""
        return [*self._rows.get(entity, ())]

    def everywhere(self) -> Sequence[JsonObject]:
        """Give the newest score of each entity that has one."""
        return [rows[0] for rows in self._rows.values() if rows]

    def drop(self, entity: Entity) -> None:
        """Forget those of an entity."""
        self._rows.pop(entity.id, None)
        self._from.pop(entity.id, None)

    def routes(self) -> Iterator[Route]:
        """Give the one route: scores are read among the insights."""
        yield Route("POST", "/entities/{id}/datasources/syntage/score/calculate", self._calculate)

    async def _calculate(self, call: Incoming) -> Reply:
        entity = self.accounts.entities.get(call.args["id"])
        if entity is None:
            return not_found()
        refusal = self._refusal(entity)
        if refusal is not None:
            return hydra_error(422, refusal)
        self._from[entity.id] = self._sources(entity)
        seconds = self.dice.stream("score_durations").uniform(*SECONDS)
        self.timers.after(seconds, lambda: self._finish(entity))
        return Reply(status=201)

    def _refusal(self, entity: Entity) -> str | None:
        if not entity.subject.is_company:
            return "entity: The Syntage Score is calculated for companies only."
        running = {job.extractor for job in self.jobs.values() if job.entity is entity and job.status in UNDER_WAY}
        for extractor in REQUIRED:
            if extractor in running:
                return f"entity: The extraction {extractor} is still running."
        returns, checks = self._annual(entity), self.records.newest_first("TaxComplianceCheck", entity.id)
        if not returns or not checks:
            return f"entity: The {'tax compliance' if returns else 'annual tax return'} is missing."
        return "entity: Syntage score already exists." if self._from.get(entity.id) == self._sources(entity) else None

    def _annual(self, entity: Entity) -> list[JsonObject]:
        rows = self.records.newest_first("TaxReturn", entity.id)
        return [row for row in rows if row["intervalUnit"] == "Anual"]

    def _sources(self, entity: Entity) -> tuple[str, ...]:
        """Name the records a score is made of: newer ones make a new score."""
        rows = [*self._annual(entity), *self.records.newest_first("TaxComplianceCheck", entity.id)[:1]]
        return tuple(str(row["id"]) for row in rows)

    def _finish(self, entity: Entity) -> None:
        if entity.id not in self.accounts.entities:
            return
        sources = self._from[entity.id]
        draw = int.from_bytes(sha256(":".join((entity.subject.rfc, *sources)).encode()).digest()[:4], "big")
        check = self.records.newest_first("TaxComplianceCheck", entity.id)[0]
        is_good = check["result"] == "positive"
        number, score = self._ids(), 300 + draw % 400 + (150 if is_good else 0)
        sides: dict[str, JsonObject] = {"offenders": {}, "performers": {}}
        sides["performers" if is_good else "offenders"]["tax_compliance"] = f"Tax compliance is {check['result']}"
        sides["performers" if draw % 2 else "offenders"]["quick_ratio"] = f"Quick ratio {'> 3' if draw % 2 else '< 1'}"
        self._rows.setdefault(entity.id, []).insert(0, {
            "@id": f"/.well-known/genid/{number.replace('-', '')[-20:]}",
            "@type": "ScoreBySource",
            "id": number,
            "source": "syntage",
            "type": "internal",
            "score": str(score),
            "generatedAt": stamp(self.now()),
            "metadata": {
                "breakdown": {**sides},
                "distribution": [{"label": score // 100 * 100, "metric": 1}],
            },
        })  # fmt: skip
