"""Seeded, coherent CFDIs: made per subject and year, on demand, always the same for the same seed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from random import Random
from typing import Final
from uuid import UUID

from .cfdi import ZERO, Cfdi, Kind, Line, PaidDocument, Payment, Payroll, Tax
from .taxpayers import Taxpayer, counterparties, employees, lenders

FIRST_YEAR: Final = 2020
CENT: Final = Decimal("0.01")
IVA: Final = Decimal("16.00")
# Professional fees billed by persons: 10 % income tax and two thirds of the VAT are retained (SAT).
ISR_RETAINED: Final = Decimal("10.00")
IVA_RETAINED: Final = Decimal("10.6667")
_GOODS: Final = (("Cuaderno", "14111514", "H87", "Pieza"), ("Bota de trabajo", "53111601", "PR", "Par"),
          ("Flete local", "78101802", "E48", "Unidad de servicio"), ("Café molido & tostado", "50201706", "KGM", "Kg"),
          ("Lámina \"calibre 22\"", "30102204", "H87", "Pieza"), ("Asesoría", "80101500", "E48", "Unidad de servicio"),
          ("Diésel <industrial>", "15101505", "LTR", "Litro"))  # fmt: skip
# Shares of the five kinds in a year: credit notes, payments, payroll, transfers; the rest is income.
_SHARES: tuple[tuple[Kind, float], ...] = (("E", 0.08), ("P", 0.14), ("N", 0.12), ("T", 0.04))
# What a lender bills to who paid late, and to everybody.
MORATORY_INTEREST, ORDINARY_INTEREST = "Intereses moratorios", "Intereses ordinarios"
_CANCELLED: Final = 0.05
_SETTLED_TOGETHER: Final = timedelta(days=60)
# How often wages are paid, and for how many days.
_PERIODS: Final = (("FIFTEENTH_DAY", 15), ("WEEKLY", 7), ("MONTHLY", 30))
# Small wages come with a subsidy (a month's, in pesos); a Christmas bonus is free of tax up to thirty units of measure.
_SMALL_WAGE, _SUBSIDY, _EXEMPT_BONUS = Decimal("600.00"), Decimal("475.00"), Decimal("3394.20")


def cents(value: Decimal) -> Decimal:
    """Round half up to the cent, as invoices do."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


class Books:
    """All CFDIs of all subjects of one seed."""

    def __init__(self, seed: int, *, invoices_per_year: int) -> None:
        self.seed = seed
        self.invoices_per_year = invoices_per_year
        self.others = counterparties(seed)
        self.staff = employees(seed)
        self.lenders = lenders(seed)
        self._years: dict[tuple[str, int], tuple[Cfdi, ...]] = {}

    def year(self, subject: Taxpayer, year: int) -> tuple[Cfdi, ...]:
        """Give the CFDIs a subject issued and received in a year, oldest first."""
        if self.invoices_per_year <= _SHARED_SIZE:
            return _shared_year(self.seed, subject, year, self.invoices_per_year)
        key = (subject.rfc, year)
        if key not in self._years:
            self._years[key] = _Year(self, subject, year).make()
        return self._years[key]

    def between(self, subject: Taxpayer, date_from: date, date_to: date) -> list[Cfdi]:
        """Give the CFDIs issued from one date to another, both included, oldest first."""
        first = max(date_from, date(FIRST_YEAR, 1, 1))
        years = range(first.year, date_to.year + 1)
        rows = (row for year in years for row in self.year(subject, year))
        return [row for row in rows if first <= row.issued_on <= date_to]


# Years of so many invoices are shared by the simulators of a process: tests start one after the other, of one seed.
_SHARED_SIZE: Final = 200


@lru_cache(maxsize=64)
def _shared_year(seed: int, subject: Taxpayer, year: int, count: int) -> tuple[Cfdi, ...]:
    return _Year(Books(seed, invoices_per_year=count), subject, year).make()


class _Year:
    def __init__(self, books: Books, subject: Taxpayer, year: int) -> None:
        self.books = books
        self.subject = subject
        self.year = year
        self.rng = Random(f"{books.seed}:{subject.rfc}:{year}")
        self.folio = 0

    def make(self) -> tuple[Cfdi, ...]:
        count = self.books.invoices_per_year
        counts = {kind: int(count * share) for kind, share in _SHARES}
        income = [self._income() for _ in range(count - sum(counts.values()))]
        rows = [*income, *self._payments(income, counts["P"]), *self._credit_notes(income, counts["E"])]
        rows += [self._payroll() for _ in range(counts["N"])]
        rows += [self._transfer() for _ in range(counts["T"])]
        # What could not be derived (no invoice left to pay) is made up with income.
        rows += [self._income() for _ in range(count - len(rows))]
        return tuple(sorted(rows, key=lambda row: (row.issued_at, row.uuid)))

    def _moment(self) -> datetime:
        start = datetime(self.year, 1, 1, tzinfo=UTC)
        days = (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days
        return start + timedelta(seconds=self.rng.randrange(days * 86400))

    def _parties(self, is_issued: bool) -> tuple[Taxpayer, Taxpayer]:
        other = self.rng.choice(self.books.others)
        return (self.subject, other) if is_issued else (other, self.subject)

    def _cfdi(
        self,
        kind: Kind,
        lines: tuple[Line, ...],
        *,
        is_issued: bool,
        usage: str,
        issued_at: datetime | None = None,
        **more: object,
    ) -> Cfdi:
        rng = self.rng
        self.folio += 1
        issuer, receiver = self._parties(is_issued)
        issued_at = issued_at or self._moment()
        cancelled = issued_at.date() + timedelta(days=rng.randrange(1, 40)) if rng.random() < _CANCELLED else None
        sums = _sums(lines) if kind not in "PT" else (ZERO, ZERO, ZERO, ZERO)
        subtotal, discount, tax, total = sums
        plain = Cfdi(
            uuid=str(UUID(int=rng.getrandbits(128), version=4)),
            kind=kind,
            issued_at=issued_at,
            issuer=issuer,
            receiver=receiver,
            is_issued=is_issued,
            series={"I": "F", "E": "NC", "P": "P", "N": "N", "T": "T"}[kind],
            folio=str(self.folio),
            currency="MXN",
            exchange_rate=Decimal("1"),
            payment_form=None,
            payment_method=None,
            usage=usage,
            lines=lines,
            subtotal=subtotal,
            discount=discount,
            tax=tax,
            total=total,
            cancelled_on=cancelled,
            draw=rng.random(),
        )
        return replace(plain, **more)  # type: ignore[arg-type]  # field names are checked by the callers' tests

    def _income(self) -> Cfdi:
        rng = self.rng
        is_issued = rng.random() < 0.45
        issuer, receiver = self._parties(is_issued)
        lines = tuple(self._line(retain=not issuer.is_company) for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))
        if issuer.rfc in self.books.lenders:
            words = (MORATORY_INTEREST, *([ORDINARY_INTEREST] * (len(lines) - 1)))
            lines = tuple(map(_interest, lines, words))
        is_deferred = rng.random() < 0.5
        is_foreign = rng.random() < 0.05
        return self._cfdi(
            "I",
            lines,
            is_issued=is_issued,
            usage=rng.choice(("G01", "G03", "G03", "I04")),
            issuer=issuer,
            receiver=receiver,
            payment_form="99" if is_deferred else rng.choice(("01", "03", "04", "28")),
            payment_method="PPD" if is_deferred else "PUE",
            currency="USD" if is_foreign else "MXN",
            exchange_rate=Decimal(rng.randrange(165000, 205000)) / 10000 if is_foreign else Decimal("1"),
        )

    def _line(self, *, retain: bool) -> Line:
        rng = self.rng
        description, product, unit_code, unit = rng.choice(_GOODS)
        quantity = Decimal(rng.randrange(1, 25))
        price = Decimal(rng.randrange(500, 900000)) / 100
        amount = cents(quantity * price)
        discount = cents(amount * rng.randrange(1, 15) / 100) if rng.random() < 0.2 else ZERO
        base = amount - discount
        retained = (_tax("ISR", ISR_RETAINED, base), _tax("IVA", IVA_RETAINED, base)) if retain else ()
        return Line(
            description=description,
            product=product,
            unit_code=unit_code,
            unit=unit,
            quantity=quantity,
            unit_price=price,
            amount=amount,
            discount=discount,
            transferred=(_tax("IVA", IVA, base),),
            retained=retained,
        )

    def _payments(self, income: list[Cfdi], count: int) -> list[Cfdi]:
        """Pay deferred invoices within the year, in up to three parts; one receipt may pay several invoices."""
        due: list[tuple[datetime, Cfdi, PaidDocument]] = []
        for invoice in (row for row in income if row.payment_method == "PPD" and row.cancelled_on is None):
            # A few more than wanted: some share a receipt.
            if len(due) * 4 >= count * 5:
                break
            due += self._parts(invoice)
        receipts = self._bundled(sorted(due, key=lambda part: (part[0], part[1].uuid)))
        return [self._payment(invoice, when, documents) for invoice, when, documents in receipts[:count]]

    def _parts(self, invoice: Cfdi) -> Iterator[tuple[datetime, Cfdi, PaidDocument]]:
        parts = self.rng.choices((1, 2, 3), (60, 30, 10))[0]
        balance, when = invoice.total, invoice.issued_at
        for number in range(1, parts + 1):
            when = when + timedelta(days=self.rng.randrange(5, 45), seconds=self.rng.randrange(3600))
            if when.year != self.year:
                return
            paid = balance if number == parts else cents(balance / 2)
            yield when, invoice, PaidDocument(uuid=invoice.uuid, partiality=number, previous=balance, paid=paid)
            balance -= paid

    def _bundled(
        self, due: list[tuple[datetime, Cfdi, PaidDocument]]
    ) -> list[tuple[Cfdi, datetime, tuple[PaidDocument, ...]]]:
        """Put what the same parties settle soon after each other into one receipt, dated as its last part.

        The parts of one invoice stay in order: a later one never joins an earlier receipt.
        """
        receipts: list[tuple[Cfdi, datetime, tuple[PaidDocument, ...]]] = []
        newest: dict[tuple[str, str], int] = {}
        for when, invoice, document in due:
            parties = (invoice.issuer.rfc, invoice.receiver.rfc)
            found = newest.get(parties)
            if found is not None and when - receipts[found][1] < _SETTLED_TOGETHER:
                payer, _, documents = receipts[found]
                if document.uuid not in {each.uuid for each in documents}:
                    receipts[found] = payer, when, (*documents, document)
                    continue
            newest[parties] = len(receipts)
            receipts.append((invoice, when, (document,)))
        return receipts

    def _payment(self, invoice: Cfdi, when: datetime, documents: tuple[PaidDocument, ...]) -> Cfdi:
        paid_at = datetime.combine(when.date(), time(12), tzinfo=UTC)
        payment = Payment(
            at=paid_at,
            form=self.rng.choices(("03", "02", "01"), (80, 12, 8))[0],
            amount=sum((document.paid for document in documents), ZERO),
            operation=f"{self.rng.randrange(10**8):08}",
            documents=documents,
        )
        return self._cfdi(
            "P",
            (_service("Pago", "84111506", ZERO),),
            is_issued=invoice.is_issued,
            usage="CP01",
            issuer=invoice.issuer,
            receiver=invoice.receiver,
            issued_at=when,
            currency="XXX",  # SAT: a payment receipt itself has no currency
            exchange_rate=None,
            cancelled_on=None,
            payment=payment,
        )

    def _credit_notes(self, income: list[Cfdi], count: int) -> list[Cfdi]:
        """Give part of a paid-at-once invoice back; the note names the invoice it relates to."""
        fitting = [row for row in income if row.payment_method == "PUE" and row.issued_at.month < 12]
        notes: list[Cfdi] = []
        for invoice in self.rng.sample(fitting, min(count, len(fitting))):
            amount = max(CENT, cents(invoice.subtotal / 10))
            line = _service("Bonificación sobre compra", "84111506", amount)
            notes.append(self._cfdi(
                "E",
                (replace(line, transferred=(_tax("IVA", IVA, amount),)),),
                is_issued=invoice.is_issued,
                usage="G02",
                issuer=invoice.issuer,
                receiver=invoice.receiver,
                issued_at=invoice.issued_at + timedelta(days=self.rng.randrange(1, 28)),
                payment_form=invoice.payment_form,
                payment_method="PUE",
                currency=invoice.currency,
                exchange_rate=invoice.exchange_rate,
                related=(invoice.uuid,),
                cancelled_on=None,
            ))  # fmt: skip
        return notes

    def _payroll(self) -> Cfdi:
        rng = self.rng
        is_issued = self.subject.is_company
        employer, worker = (self.subject, rng.choice(self.books.staff)) if is_issued else (
            self.books.others[0], self.subject)  # fmt: skip
        paid = self._moment()
        payroll = self._christmas(paid) if paid.month == 12 and rng.random() < 0.5 else self._wages(paid)
        line = _service("Pago de nómina", "84111505", payroll.salary + payroll.bonus + payroll.subsidy)
        return self._cfdi(
            "N",
            (replace(line, discount=payroll.deduction),),
            is_issued=is_issued,
            usage="CN01",
            issuer=employer,
            receiver=worker,
            issued_at=paid,
            payment_form="99",
            payment_method="PUE",
            payroll=payroll,
        )

    def _wages(self, paid: datetime) -> Payroll:
        rng = self.rng
        periodicity, days = rng.choices(_PERIODS, (60, 25, 15))[0]
        daily = Decimal(rng.randrange(40_000, 166_000)) / 100
        salary = cents(daily * days)
        bonus = cents(salary / 20) if rng.random() < 0.3 else ZERO
        dues = cents(salary / 100) if rng.random() < 0.4 else ZERO
        return Payroll(
            days=days,
            date_from=paid.date() - timedelta(days=days - 1),
            date_to=paid.date(),
            salary=salary,
            bonus=bonus,
            deduction=cents(salary * 10 / 100) + dues,
            periodicity=periodicity,
            dues=dues,
            subsidy=cents(_SUBSIDY * days / 30) if daily < _SMALL_WAGE else ZERO,
        )

    def _christmas(self, paid: datetime) -> Payroll:
        """Pay the Christmas bonus: fifteen days' wages at least, the first part free of tax."""
        bonus = cents(Decimal(self.rng.randrange(40_000, 166_000)) / 100 * 15)
        exempt = min(bonus, _EXEMPT_BONUS)
        return Payroll(
            days=1,
            date_from=paid.date(),
            date_to=paid.date(),
            salary=ZERO,
            bonus=bonus,
            deduction=cents((bonus - exempt) / 10),
            periodicity="OTHER_PERIODICITY",
            is_extraordinary=True,
            exempt=exempt,
        )

    def _transfer(self) -> Cfdi:
        line = _service("Flete local", "78101802", ZERO)
        return self._cfdi("T", (line,), is_issued=self.rng.random() < 0.5, usage="S01", currency="XXX")


def _interest(line: Line, description: str) -> Line:
    return replace(line, description=description, product="84121500")


@lru_cache(maxsize=512)
def _service(description: str, product: str, amount: Decimal) -> Line:
    return Line(
        description=description,
        product=product,
        unit_code="ACT",
        unit="Actividad",
        quantity=Decimal("1"),
        unit_price=amount,
        amount=amount,
        discount=ZERO,
        transferred=(),
        retained=(),
    )


def _tax(name: str, rate: Decimal, base: Decimal) -> Tax:
    return Tax(name=name, rate=rate, base=base, amount=cents(base * rate / 100))


def _sums(lines: tuple[Line, ...]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    subtotal = sum((line.amount for line in lines), ZERO)
    discount = sum((line.discount for line in lines), ZERO)
    tax = sum((line.tax for line in lines), ZERO)
    return subtotal, discount, tax, subtotal + tax - discount
