"""`type=`: a type that the rows cannot become is refused in words about the type, before a byte is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict

import msgspec
import pydantic
import pytest

from belvo_async import TaskError, belvo, syntage
from tests.session.world import World

JANUARY = (date(2025, 1, 1), date(2025, 1, 31))


class Model(pydantic.BaseModel):
    """What many hold their own records in."""

    id: str
    total: Decimal


class Snake(msgspec.Struct):
    """Python's names, where the vendor has JavaScript's."""

    issued_at: str


class SnakeWithDefault(msgspec.Struct):
    """The same; it would be None for ever."""

    id: str
    issued_at: str | None = None


@dataclass
class SnakeData:
    """A dataclass of them."""

    issued_at: str


class SnakeDict(TypedDict):
    """A mapping of them."""

    issued_at: str


class Party(msgspec.Struct):
    """A part of a record."""

    tax_id: str | None = None
    blacklist_status: str | None = None


class Nested(msgspec.Struct):
    """Right names above, wrong ones below."""

    issuer: Party | None = None


class Camel(msgspec.Struct, rename="camel"):
    """The remedy."""

    id: str
    issued_at: str
    total: Decimal


class CamelForBelvo(msgspec.Struct, rename="camel"):
    """The other way round."""

    invoice_date: str | None = None


class Stranger:
    """A class of nobody's."""


class HoldsStranger(msgspec.Struct):
    """One of them deep inside."""

    id: str
    parts: list[Stranger | None] = []


class Narrow(msgspec.Struct, forbid_unknown_fields=True):
    """Every row has more."""

    id: str


class Unheard(msgspec.Struct):
    """A field of nobody's that every row must have."""

    folio_of_the_moon: str


class Array(msgspec.Struct, array_like=True):
    """An array, not an object."""

    id: str


class Pair(NamedTuple):
    """Read from an array as well."""

    id: str


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        pytest.param(Model, ["Model", "type=dict", "model_validate"], id="pydantic"),
        pytest.param(list[Model], ["Model", "type=dict"], id="a list of pydantic"),
        pytest.param(Snake, ["Snake", "`issued_at`", "`issuedAt`", 'rename="camel"'], id="snake_case"),
        pytest.param(SnakeWithDefault, ["`issued_at`", "`issuedAt`"], id="snake_case with a default"),
        pytest.param(SnakeData, ["`issued_at`", "call it `issuedAt`"], id="a dataclass"),
        pytest.param(SnakeDict, ["`issued_at`", "call it `issuedAt`"], id="a TypedDict"),
        pytest.param(Nested, ["Party", "`blacklist_status`", "`blacklistStatus`"], id="below"),
        pytest.param(Stranger, ["Stranger", "msgspec.Struct"], id="a class"),
        pytest.param(HoldsStranger, ["Stranger", "msgspec.Struct"], id="a class below"),
        pytest.param(Narrow, ["Narrow", "forbids unknown fields"], id="forbids"),
        pytest.param(Unheard, ["`folio_of_the_moon`", "default"], id="no such field"),
        pytest.param(Array, ["a row is an object"], id="array-like"),
        pytest.param(Pair, ["a row is an object"], id="a tuple"),
        pytest.param(list, ["a row is an object"], id="a list"),
        pytest.param(list[Camel], ["a row is an object"], id="a list of records"),
        pytest.param(Decimal, ["a row is an object"], id="a number"),
        pytest.param("Camel", ["msgspec cannot decode"], id="a name"),
        pytest.param(Camel | SnakeDict | Narrow, ["msgspec cannot decode"], id="a union nobody can tell apart"),
        pytest.param({"id": "x"}, ["no type"], id="a value"),
    ],
)
async def test_what_a_row_cannot_become_is_refused(world: World, kind: Any, words: list[str]) -> None:
    """Where it is asked for, naming the type and the remedy; the vendor has nothing to do with it."""
    session = await world.open(webhooks=False)

    with pytest.raises(TaskError) as caught:
        session.list(syntage.Invoices(entity=world.syntage.entities[0]), type=kind)

    assert "type" == caught.value.field
    assert [] == [word for word in words if word not in str(caught.value)]
    assert "payload" not in str(caught.value)
    assert [] == world.sent()


async def test_names_are_those_of_the_vendor_that_is_asked(world: World) -> None:
    """Belvo's are Python's: who renames them is told as well."""
    session = await world.open(webhooks=False)
    query = belvo.InvoiceList(link=world.belvo.links[0], date_from=JANUARY[0], date_to=JANUARY[1], type="INFLOW")

    with pytest.raises(TaskError, match="`invoiceDate`, which the rows call `invoice_date`"):
        session.list(query, type=CamelForBelvo)


@pytest.mark.parametrize("kind", [Camel, Camel | None, dict, dict[str, object], msgspec.Raw, object, syntage.Invoice])
async def test_what_a_row_can_become_is_taken(world: World, kind: Any) -> None:
    """The remedies, and what needs none."""
    session = await world.open()
    job = await session.fire(world.extraction())
    await job

    assert await job.results(type=kind).to_list()


async def test_the_types_of_a_job_are_checked_alike(world: World) -> None:
    """Whether rows come from a list or from a job, of either vendor."""
    session = await world.open()
    jobs = [await session.fire(world.extraction()), await session.fire(world.invoices())]

    for job in jobs:
        with pytest.raises(TaskError, match="model_validate"):
            job.results(type=Model)


async def test_a_row_as_a_dict_holds_exact_numbers(world: World) -> None:
    """Money is no float, whatever the rows become."""
    session = await world.open()
    job = await session.fire(world.extraction())
    await job

    rows = await job.results(type=dict).to_list()

    invoices = await job.results().to_list()
    assert [each.total for each in invoices] == [row["total"] for row in rows]
    assert {Decimal} == {type(row["total"]) for row in rows}
