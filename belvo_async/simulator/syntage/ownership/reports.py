"""Company Verification reports: what became of the partners a company was entered with, and who may act for it."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from ...taxpayers import counterparties, employees
from ...wire import Json, JsonObject
from ..rows.invoices import stamp
from ..rows.taxes import Trip

PATH: Final = "/datasources/mx/company-verification/reports"
_FOUR: Final = Decimal("0.0001")
_YEAR: Final = timedelta(days=365)
# Face values of the two series here: A is fixed capital, B variable.
_VALUES: Final = {"A": Decimal(100), "B": Decimal(10)}
_CAPITAL: Final = {"A": "fixed", "B": "variable"}
Bucket = dict[str, int]  # series -> shares


def partner_name(row: JsonObject) -> str:
    """Write a partner of the commercial register (`RpcSocio`) as one name."""
    parts = (row[each] for each in ("nombre", "apellidoPaterno", "apellidoMaterno"))
    return " ".join(str(each) for each in parts if each)


def verification_report(trip: Trip, folio: JsonObject) -> JsonObject:
    """Give a new report, with its document in two forms. `folio` is the company's `RpcEntidade`."""
    key = _key(trip)
    iri = f"{PATH}/{trip.id_of(key, trip.now)}"
    lines = ("Verificación de empresa", trip.subject.name, str(folio["fme"]))
    page = "".join(f"<p>{line}</p>" for line in lines).encode()
    files: list[Json] = [
        trip.pdf("company_verification_report.pdf", iri, lines).row(),
        trip.file("company_verification_report.html", iri, lambda: page, "html").row(),
    ]
    profile: JsonObject = {"@type": "RpcEntidade", **{name: folio[name] for name in ("@id", "id", "fme")}}
    _, row = trip.row("CompanyVerificationReport", PATH, key, trip.now, {
        "link": trip.entity.iri,
        "rpcEntity": {**profile, "nombreRazonSocial": folio["nombreRazonSocial"]},
        "extraction": trip.source,
        "files": files,
    })  # fmt: skip
    return row


def found_entities(trip: Trip, partners: Sequence[JsonObject]) -> list[JsonObject]:
    """Give who was found: a partner who stayed, one who sold, the company that bought, and one who only acts for it."""
    rng = trip.rng("verification", "entities")
    stayed, sold = partners[0], partners[1]
    buyer = rng.choice([one for one in counterparties(trip.seed) if one.is_company])
    known = {str(row["rfc"]) for row in partners}
    agent = rng.choice([one for one in employees(trip.seed) if one.rfc not in known])
    held: list[tuple[str, str, Bucket | None]] = [
        (partner_name(stayed), "person", {"A": _shares(stayed), "B": rng.randrange(100, 1000)}),
        (partner_name(sold), "person", {}),
        (buyer.name, "company", {"A": _shares(sold), "B": rng.randrange(100, 1000)}),
        (agent.name, "person", None),
    ]
    powers = [
        [_power(trip, "administrative_acts", 0, None)],
        [_power(trip, "lawsuits_and_collections", 0, 5)],
        [],
        [
            _power(trip, "lawsuits_and_collections", 2, None, jointly=partner_name(stayed)),
            _power(trip, None, 3, None),
            _power(trip, "ownership_acts", 1, 4),
        ],
    ]
    capital = [shares for _, _, shares in held]
    return [
        {**_found(trip, index, *held[index]), **_table(trip, index, capital), "powers": _with_ids(trip, index, mine)}
        for index, mine in enumerate(powers)
    ]


def _key(trip: Trip) -> str:
    return f"verification:{stamp(trip.now)}"


def _shares(partner: JsonObject) -> int:
    return int(str(partner["acciones"]))


def _found(trip: Trip, index: int, name: str, kind: str, held: Bucket | None) -> JsonObject:
    report, number = trip.id_of(_key(trip), trip.now), trip.id_of(f"{_key(trip)}:found:{index}", trip.now)
    variations: list[Json] = [name.title(), f"{name[0]}. {' '.join(name.split()[1:])}"]
    return {
        "@id": f"{PATH}/{report}/found-entities/{number}",
        "@type": "FoundEntity",
        "id": number,
        "fullName": name,
        "nameVariations": variations,
        "entityType": kind,
        "isActive": bool(held),
        "firstAppearanceDate": None if held is None else trip.subject.registered_on.isoformat(),
        "createdAt": stamp(trip.now),
        "updatedAt": stamp(trip.now),
    }


def _table(trip: Trip, index: int, everybody: Sequence[Bucket | None]) -> JsonObject:
    """Give the place of one of them in the table of capital; nothing for one who is not in it."""
    mine = everybody[index]
    if mine is None:
        return {"totalsShares": None, "totalsAmount": None, "totalsPercentage": None, "holdings": []}
    held = [each or {} for each in everybody]
    holdings: list[Json] = [
        {
            "id": trip.id_of(f"{_key(trip)}:holding:{index}:{series}", trip.now),
            "capitalType": _CAPITAL[series],
            "series": series,
            "shares": shares,
            "amount": str((shares * _VALUES[series]).quantize(_FOUR)),
            "valuePerShare": str(_VALUES[series].quantize(_FOUR)),
            "bucketPercentage": str(_percentages([each.get(series, 0) for each in held])[index]),
        }
        for series, shares in mine.items()
    ]
    amount = sum((shares * _VALUES[series] for series, shares in mine.items()), Decimal(0))
    return {
        "totalsShares": sum(mine.values()),
        "totalsAmount": str(amount.quantize(_FOUR)),
        "totalsPercentage": str(_percentages([sum(each.values()) for each in held])[index]),
        "holdings": holdings,
    }


def _percentages(shares: Sequence[int]) -> list[Decimal]:
    """Give hundredths that are a hundred together; the largest takes what rounding leaves."""
    total = sum(shares)
    found = [(Decimal(100 * each) / total).quantize(_FOUR, ROUND_DOWN) for each in shares]
    largest = shares.index(max(shares))
    found[largest] += 100 - sum(found)
    return found


def _power(trip: Trip, power: str | None, begins: int, ends: int | None, jointly: str | None = None) -> JsonObject:
    """Give a power granted some years after the company began; without a word it is one of another document."""
    granted: date = trip.subject.registered_on + begins * _YEAR
    expires = None if ends is None else trip.subject.registered_on + ends * _YEAR
    is_over = expires is not None and expires <= trip.now.date()
    return {
        "status": "expired" if is_over else "current",
        "power": power,
        "grantedAt": _midnight(granted),
        "expirationDate": None if expires is None else _midnight(expires),
        "expirationSource": None if expires is None else "document",
        "documentSource": "rpc",
        "documentNumber": f"{granted:%Y}{1000 + begins}",
        "documentGrantingState": "JALISCO",
        "referenceExternal": power is None,
        "referenceText": "Poder otorgado en escritura por separado" if power is None else None,
        "referenceDocumentNumber": f"{granted:%Y}99" if power is None else None,
        "exerciseJointlyWith": jointly,
        "exerciseJointlyRequired": jointly is not None,
        "exerciseSubstitutionAllowed": begins == 0,
        "exerciseLimitations": None,
        "realEstateCanAcquire": power == "administrative_acts",
        "realEstateCanDispose": power == "ownership_acts",
    }


def _with_ids(trip: Trip, index: int, powers: Sequence[JsonObject]) -> list[Json]:
    key = f"{_key(trip)}:power:{index}"
    return [{"id": trip.id_of(f"{key}:{place}", trip.now), **power} for place, power in enumerate(powers)]


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00+00:00"
