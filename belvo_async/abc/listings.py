"""What a dialect contributes to a mirror: its lists, and how its invoices say what every invoice says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from .exchange import Query


class CommonPayment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a payment receipt says it paid of one invoice, whose fiscal folio is `paid_uuid`."""

    paid_uuid: str | None = None
    paid_on: dt.date | None = None
    currency: str | None = None
    amount: Decimal | None = None

    def __repr__(self) -> str:
        return "CommonPayment(***)"


class CommonInvoice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An invoice in words that do not depend on the vendor; None where the vendor does not say.

    `uuid` is the fiscal folio; `direction` is seen from the subject; `kind` is the SAT's letter (I, E, P, N, T);
    `payment_method` PUE or PPD; days are those of Mexico City. `paid_amount` is what the vendor itself has added up;
    `payments` are those that a payment receipt (P) tells of. Amounts are in `currency`. Its repr shows no data.
    """

    uuid: str | None = None
    direction: str | None = None
    kind: str | None = None
    issued_on: dt.date | None = None
    issuer_rfc: str | None = None
    issuer_name: str | None = None
    receiver_rfc: str | None = None
    receiver_name: str | None = None
    payment_method: str | None = None
    currency: str | None = None
    exchange_rate: Decimal | None = None
    subtotal: Decimal | None = None
    total: Decimal | None = None
    paid_amount: Decimal | None = None
    is_cancelled: bool | None = None
    cancelled_on: dt.date | None = None
    payments: tuple[CommonPayment, ...] = ()

    def __repr__(self) -> str:
        return "CommonInvoice(***)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRules:
    """How one of a vendor's lists is read, so that a copy of it can be kept.

    `query` makes the query for a subject (of the account's lists, "" stands for it) and, where the list has a `cursor`,
    for what its rows say there since an instant, counted; TaskError for a subject that can be none. `cursor` is the
    field of a row that such queries go by; None where the list can only be read whole. `resources` are those of jobs
    whose rows are rows of this list. `unversioned` are fields, at any depth, that tell when a row was read and nothing
    of what it says: rows that differ in nothing else are the same. `common` says in common words what a row says, where
    it is an invoice.
    """

    query: Callable[[str, dt.datetime | None], Query[Any]]
    is_of_subject: bool = True
    cursor: str | None = None
    resources: frozenset[str] = frozenset()
    unversioned: frozenset[str] = frozenset()
    common: Callable[[Any], CommonInvoice] | None = None
