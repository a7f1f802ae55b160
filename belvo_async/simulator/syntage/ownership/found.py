"""What Company Verification brings: a report for some companies, and who was found in it, who then is a shareholder."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from ...faults import Dice
from ...wire import JsonObject
from ..rows.invoices import Entity, OrderedIds
from ..rows.taxes import Gathered, Trip
from ..webhooks import SyntageEvents
from .reports import found_entities, partner_name, verification_report
from .shareholders import Shareholders


class FoundEntities:
    """Who was found, by report; and the shareholders that came of it and of the commercial register."""

    def __init__(self, dice: Dice, now: Callable[[], datetime], events: SyntageEvents) -> None:
        self.shareholders = Shareholders(OrderedIds(dice.stream("shareholder_ids"), now), now, events)
        self._rows: dict[str, tuple[str, list[JsonObject]]] = {}
        self._ordered: set[str] = set()

    def order(self, entity: Entity) -> None:
        """Let the entity's next extraction of the commercial register bring a report, whether there is one or not."""
        self._ordered.add(entity.id)

    def of(self, report: str) -> list[JsonObject] | None:
        """Give who was found in a report, newest id first; None for a report that is not held."""
        held = self._rows.get(report)
        return None if held is None else sorted(held[1], key=lambda row: str(row["id"]), reverse=True)

    def find(self, report: str, number: str) -> JsonObject | None:
        """Give one of them."""
        return next((row for row in self.of(report) or () if row["id"] == number), None)

    def latest(self, entity: str) -> list[JsonObject]:
        """Give who was found in the latest report of an entity."""
        reports = [report for report, (owner, _) in self._rows.items() if owner == entity]
        return self.of(max(reports)) or [] if reports else []

    def forget(self, entity: str) -> None:
        """Forget an entity: its reports, and all its shareholders that are nobody else's."""
        self.shareholders.forget(entity)
        self._rows = {report: held for report, held in self._rows.items() if held[0] != entity}
        self._ordered.discard(entity)

    def with_report(self, trip: Trip, gathered: Gathered) -> Gathered:
        """Pass on what the commercial register brings, its partners now shareholders, and a report if one is due.

        The document names no extractor for reports. They use the register's profile of the company: they come with it.
        """
        rows: dict[str, list[JsonObject]] = {"RpcEntidade": [], "RpcSocio": [], "RpcActo": []}
        for kind, row in gathered:
            yield kind, row
            rows[kind].append(row)
        for row in rows["RpcSocio"]:
            name, shares = partner_name(row), Decimal(str(row["acciones"]))
            rfc, number = str(row["rfc"]), str(row["id"])
            self.shareholders.learn(trip.entity, name, rfc, shares, "rpc_socio", number, trip.source)
        if self._is_due(trip):
            yield from self._verify(trip, rows["RpcEntidade"][0], rows["RpcSocio"])

    def _is_due(self, trip: Trip) -> bool:
        """Whether one was ordered; else every other company has one, which comes once."""
        if trip.entity.id in self._ordered:
            return True
        is_there = any(owner == trip.entity.id for owner, _ in self._rows.values())
        return trip.subject.is_company and not is_there and trip.rng("verification").random() < 1 / 2

    def _verify(self, trip: Trip, folio: JsonObject, partners: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
        self._ordered.discard(trip.entity.id)
        report = verification_report(trip, folio)
        yield "CompanyVerificationReport", report
        found = found_entities(trip, partners)
        self._rows[str(report["id"])] = (trip.entity.id, found)
        for row in found:
            name, shares, number = str(row["fullName"]), row["totalsShares"], str(row["id"])
            if isinstance(shares, int) and shares > 0:
                self.shareholders.learn(
                    trip.entity, name, None, Decimal(shares), "company_verification", number, trip.source
                )
