"""Filters and orders of the simulated Syntage: all that the document names, of each of its lists."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from belvo_async.simulator import SyntageSimulator
from tests.documents import ledger
from tests.documents.offers import Operation
from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first

LISTS = [each for each in ledger.operations("syntage") if "rows" in each]


def bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@pytest.mark.parametrize("operation", LISTS, ids=lambda each: each["name"])
def test_every_documented_parameter_is_understood(operation: Operation) -> None:
    """Each list that is there knows each filter and each order."""
    routes = [each for each in SyntageSimulator().routes() if each.method == "GET"]
    understood = {bare(each.template): {*each.query} for each in routes}
    documented = {*operation.get("query", ())}

    assert set() == documented - understood.get(bare(operation["path"]), documented)


async def ordered(client: SyntageClient, order: str, field: str) -> list[Any]:
    """The values of a field, in the order asked for, on one page."""
    rows = await client.all_rows(f"{first(client)}/invoices?itemsPerPage=1000&{order}")
    return [row[field] for row in rows]


async def test_amounts_are_ordered_as_numbers(syntage_client: SyntageClient) -> None:
    """Up and down; `amount` is the total. What is not there goes before all else."""
    await finished(syntage_client)

    up = await ordered(syntage_client, "order[amount]=asc", "total")
    down = await ordered(syntage_client, "order[amount]=desc", "total")
    cancelled = await ordered(syntage_client, "order[canceledAt]=asc", "canceledAt")

    numbers = [Decimal(str(each)) for each in up]
    assert len({len(str(int(each))) for each in numbers}) > 1
    assert sorted(numbers) == numbers
    assert up == down[::-1]
    assert [each is None for each in cancelled] == sorted((each is None for each in cancelled), reverse=True)


async def test_orders_are_taken_in_the_order_they_are_asked(syntage_client: SyntageClient) -> None:
    """The first name is the foremost, whatever the order in which the list documents them."""
    _, body = await syntage_client.create("electronic_accounting", {})
    await finished(syntage_client, "electronic_accounting", {}, entity=syntage_client.syntage.entities[1])
    path = f"{syntage_client.syntage.entities[1]}/electronic-accounting-records?itemsPerPage=1000"

    rows = await syntage_client.all_rows(f"{path}&order[month]=asc&order[year]=desc")

    pairs = [(row["month"], -row["year"]) for row in rows]
    assert body["extractor"] == "electronic_accounting"
    assert sorted(pairs) == pairs
    assert len({month for month, _ in pairs}) > 1


async def test_an_order_that_is_not_documented_is_ignored(syntage_client: SyntageClient) -> None:
    """As filters are that are not known."""
    await finished(syntage_client)

    assert await ordered(syntage_client, "order[total]=asc", "id") == await ordered(syntage_client, "", "id")


async def test_acts_do_not_show_how_they_were_found(syntage_client: SyntageClient) -> None:
    """All here were found as the entity itself, so asking for the others gives none."""
    await finished(syntage_client, "rpc", {})
    path = f"{first(syntage_client)}/datasources/mx/rpc/actos?rpcEntidade.lookupBy="

    assert await syntage_client.all_rows(f"{path}entity")
    assert [] == await syntage_client.all_rows(f"{path}shareholder")
