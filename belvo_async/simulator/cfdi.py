"""The fiscal record both simulated vendors show: one CFDI, amounts to the cent."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

from .taxpayers import Taxpayer

Kind = Literal["I", "E", "P", "N", "T"]
ZERO: Final = Decimal("0.00")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tax:
    """One tax on a line. `rate` is in percent (16.00)."""

    name: str  # IVA, ISR
    rate: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line: amount = quantity x unit price; taxes are on the amount less its discount."""

    description: str
    product: str
    unit_code: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    discount: Decimal
    transferred: tuple[Tax, ...]
    retained: tuple[Tax, ...]

    @property
    def tax(self) -> Decimal:
        """Transferred less retained taxes."""
        return sum((tax.amount for tax in self.transferred), ZERO) - sum((tax.amount for tax in self.retained), ZERO)


@dataclass(frozen=True, kw_only=True, slots=True)
class PaidDocument:
    """One invoice paid by a payment; previous balance less paid gives outstanding."""

    uuid: str
    partiality: int
    previous: Decimal
    paid: Decimal

    @property
    def outstanding(self) -> Decimal:
        """What remains due after this payment."""
        return self.previous - self.paid


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """The payment of a CFDI of kind P; the amount is the sum of what its documents received."""

    at: datetime
    form: str
    amount: Decimal
    operation: str
    documents: tuple[PaidDocument, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Payroll:
    """The payroll part of a CFDI of kind N: earnings and subsidy less deductions is the net amount.

    `is_extraordinary` is the Christmas bonus: no salary, one day, part of the bonus free of tax.
    """

    days: int
    date_from: date
    date_to: date
    salary: Decimal
    bonus: Decimal
    deduction: Decimal  # all deductions together; `dues` are the union's share of them
    periodicity: str = "FIFTEENTH_DAY"  # Belvo's words for SAT c_PeriodicidadPago
    is_extraordinary: bool = False
    exempt: Decimal = ZERO  # part of the bonus
    dues: Decimal = ZERO
    subsidy: Decimal = ZERO  # for employment, paid on top


@dataclass(frozen=True, kw_only=True, slots=True)
class Cfdi:
    """One digital tax receipt. total = subtotal + tax - discount, exactly."""

    uuid: str
    kind: Kind
    issued_at: datetime
    issuer: Taxpayer
    receiver: Taxpayer
    is_issued: bool  # by the subject; else received
    series: str
    folio: str
    currency: str
    exchange_rate: Decimal | None
    payment_form: str | None  # SAT c_FormaPago
    payment_method: str | None  # PUE, PPD
    usage: str
    lines: tuple[Line, ...]
    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal
    cancelled_on: date | None
    related: tuple[str, ...] = ()
    payment: Payment | None = None
    payroll: Payroll | None = None
    draw: float = 0.0  # fixed per record; decides shares such as "XML limit reached"

    @property
    def issued_on(self) -> date:
        """The date of issue, as the SAT prints it."""
        return self.issued_at.date()

    @property
    def direction(self) -> str:
        """Belvo's word for the direction."""
        return "OUTFLOW" if self.is_issued else "INFLOW"

    def is_cancelled(self, today: date) -> bool:
        """Tell whether the cancellation has happened by `today`."""
        return self.cancelled_on is not None and self.cancelled_on <= today
