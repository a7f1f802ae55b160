"""The views of a mirror, held against what the simulators hold, worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from belvo_async.integrations.dlt import MirrorSink
from tests.integrations.kit import Database, Mirrored
from tests.session.world import World

Row = Mapping[str, Any]


def held(mirrored: Mirrored) -> list[Row]:
    """What the vendors hold, in common words, by their own rows.

    What both hold is one invoice: the second vendor's word was the last, and what either knows of payments counts.
    """
    found: dict[tuple[str, bool], dict[str, Any]] = {}
    for row in [*map(of_belvo, mirrored.belvo), *map(of_syntage, mirrored.syntage)]:
        before = found.get((row["uuid"], row["is_issued"]), {"is_paid": False, "pays": []})
        both = {"is_paid": row["is_paid"] or before["is_paid"], "pays": [*row["pays"], *before["pays"]]}
        found[row["uuid"], row["is_issued"]] = {**row, **both}
    return list(found.values())


def in_mexico(instant: str) -> date:
    """The day there, six hours behind."""
    return (datetime.fromisoformat(instant) - timedelta(hours=6)).date()


def of_belvo(row: Any) -> Row:
    is_issued = row["type"] == "OUTFLOW"
    return {
        "uuid": row["invoice_identification"].lower(),
        "kind": row["invoice_type"][0],
        "is_issued": is_issued,
        "taxpayer": row["sender_id" if is_issued else "receiver_id"],
        "counterparty": row["receiver_id" if is_issued else "sender_id"],
        "issued_on": date.fromisoformat(row["invoice_date"]),
        "currency": row["currency"],
        "total": Decimal(row["total_amount"]),
        "method": row["payment_method"],
        "is_paid": False,
        "cancelled_on": row["cancelation_update_date"] and date.fromisoformat(row["cancelation_update_date"]),
        "pays": [
            paid["invoice_identification"].lower()
            for payment in row["payments"]
            for paid in payment["related_documents"]
        ],
    }


def of_syntage(row: Any) -> Row:
    is_issued = row["isIssuer"]
    sides = (row["issuer"]["rfc"], row["receiver"]["rfc"])
    return {
        "uuid": row["uuid"].lower(),
        "kind": row["type"],
        "is_issued": is_issued,
        "taxpayer": sides[not is_issued],
        "counterparty": sides[is_issued],
        "issued_on": in_mexico(row["issuedAt"]),
        "currency": row["currency"],
        "total": Decimal(row["total"]),
        "method": row["paymentType"],
        "is_paid": bool(row["paidAmount"]),
        "cancelled_on": row["canceledAt"] and in_mexico(row["canceledAt"]),
        "pays": [],
    }


def by_month(rows: list[Row], *, is_issued: bool) -> dict[tuple[str, date, str], tuple[Any, ...]]:
    sums: dict[tuple[str, date, str], list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
    for row in rows:
        if row["is_issued"] == is_issued and row["cancelled_on"] is None and row["kind"] in "IE":
            found = sums[row["taxpayer"], row["issued_on"].replace(day=1), row["currency"]]
            found[0] += row["kind"] == "I"
            found[1 if row["kind"] == "I" else 2] += row["total"]
    return {key: tuple(found) for key, found in sums.items()}


def test_the_views_say_what_the_vendors_hold(mirrored: Mirrored) -> None:
    """Sales, purchases, shares, what is unpaid and what was cancelled late: each to the cent."""
    rows, database = held(mirrored), mirrored.database

    for view, is_issued in (("sales_by_month", True), ("purchases_by_month", False)):
        found = database.rows(
            f"SELECT taxpayer_rfc, month, currency, invoices, invoiced, credited, net FROM fiscal.{view}"
        )
        assert by_month(rows, is_issued=is_issued) == {
            (rfc, month, each): (n, i, c) for rfc, month, each, n, i, c, _ in found
        }
        assert all(net == invoiced - credited for *_, invoiced, credited, net in found)

    sold: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["is_issued"] and row["kind"] == "I" and row["cancelled_on"] is None:
            sold[row["taxpayer"], row["counterparty"], row["currency"]] += row["total"]
    customers = database.rows("SELECT taxpayer_rfc, customer_rfc, currency, invoiced, share FROM fiscal.customers")
    assert sold == {(who, whom, currency): invoiced for who, whom, currency, invoiced, _ in customers}
    shares: dict[tuple[str, str], float] = defaultdict(float)
    for taxpayer, _, currency, _, share in customers:
        shares[taxpayer, currency] += share
    assert {1.0} == {round(each, 9) for each in shares.values()}

    paid = {each for row in rows if row["kind"] == "P" and row["cancelled_on"] is None for each in row["pays"]}
    unpaid = {
        row["uuid"]
        for row in rows
        if row["kind"] == "I" and row["method"] == "PPD" and row["cancelled_on"] is None
        if not row["is_paid"] and row["uuid"] not in paid
    }
    assert unpaid
    assert unpaid == {uuid for (uuid,) in database.rows("SELECT uuid FROM fiscal.ppd_without_payment")}

    late = {
        row["uuid"]
        for row in rows
        if row["cancelled_on"] and row["cancelled_on"].replace(day=1) > row["issued_on"].replace(day=1)
    }
    assert late
    assert late == {uuid for (uuid,) in database.rows("SELECT uuid FROM fiscal.cancelled_after_month_end")}


def test_an_invoice_that_both_vendors_hold_is_counted_once(mirrored: Mirrored) -> None:
    """They know the same taxpayers: each invoice is one row of what is current, and two of what was told."""
    rows, database = held(mirrored), mirrored.database

    told = "SELECT count(*) FROM fiscal.invoices WHERE _dlt_valid_to IS NULL"
    assert database.rows(told) > [(len(rows),)]
    assert [(len(rows),)] == database.rows("SELECT count(*) FROM fiscal.current_invoices")


async def test_a_mirror_without_invoices_has_no_views(world: World, database: Database) -> None:
    """They would name tables that are not there."""
    session = await world.open()

    async with MirrorSink(database.spec, session.vendors) as sink:
        assert () == await sink.make_views()
