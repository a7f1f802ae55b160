"""Invented taxpayers with well-formed RFCs: 12 characters for companies, 13 for persons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Final

_TRADES: Final = (
    "ACEROS", "BODEGAS", "CALZADO", "DULCES", "EMPAQUES", "FLETES", "GRANOS", "HULES", "LLANTAS", "MADERAS",
    "PINTURAS", "QUIMICOS", "REFACCIONES", "TEXTILES", "UTILES", "VIDRIOS")  # fmt: skip
_PLACES: Final = (
    "DEL BAJIO", "DE TAPALPA", "DEL NORTE", "QUEBRADA", "EL ZARZAL", "DE LA SIERRA", "DEL ISTMO", "SAN ELOY",
    "LA CEIBA", "DEL GOLFO", "AÑIL", "RIO SECO")  # fmt: skip
_GIVEN: Final = (
    "ANA",
    "BRUNO",
    "CLARA",
    "DIEGO",
    "ELENA",
    "FELIX",
    "INES",
    "JULIAN",
    "LUCIA",
    "MATEO",
    "NURIA",
    "TOMAS",
)
_FAMILY: Final = (
    "ARCE",
    "BELTRAN",
    "CERDA",
    "DURAN",
    "ESPINO",
    "FARIAS",
    "IBAÑEZ",
    "LUEVANO",
    "MUÑOZ",
    "OCAMPO",
    "SOLIS",
)
_HOMOCLAVE: Final = "ABCDEFGHIJKLMNPQRSTUVWXYZ123456789"
# Counterparties of a kind of their own, by their numbers: who lends money, and public bodies.
_LENDERS: Final = {
    3: "BANCO DEL ZARZAL SA INSTITUCION DE BANCA MULTIPLE",
    11: "ARRENDADORA LA CEIBA SA DE CV SOFOM ENR",
}
_PUBLIC_BODIES: Final = {17: "MUNICIPIO DE SAN ELOY", 22: "COMISION DE AGUA DE LA SIERRA"}
COUNTERPARTIES: Final = 40
EMPLOYEES: Final = 12
# They are the same for a seed, and made for every simulator of it.
_SEEDS_KEPT: Final = 16


@dataclass(frozen=True, kw_only=True)
class Taxpayer:
    """Somebody the SAT knows; all invented."""

    rfc: str
    name: str
    is_company: bool
    regime: str  # SAT c_RegimenFiscal
    postal_code: str
    registered_on: date


def _letters(rng: Random, count: int) -> str:
    # X first keeps the invented RFCs away from most real ones (names with X are rare).
    return "X" + "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWYZ") for _ in range(count - 1))


def _taxpayer(rng: Random, *, is_company: bool) -> Taxpayer:
    born = date(1985, 1, 1) + timedelta(days=rng.randrange(365 * 25))
    rfc = _letters(rng, 3 if is_company else 4) + f"{born:%y%m%d}" + "".join(rng.choice(_HOMOCLAVE) for _ in range(3))
    if is_company:
        name = f"{rng.choice(_TRADES)} {rng.choice(_PLACES)} SA DE CV"
    else:
        name = f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)} {rng.choice(_FAMILY)}"
    return Taxpayer(
        rfc=rfc,
        name=name,
        is_company=is_company,
        regime=rng.choice(("601", "601", "626")) if is_company else "612",
        postal_code=f"{rng.randrange(1000, 99999):05}",
        registered_on=born if is_company else born + timedelta(days=365 * 20),
    )


def subject(seed: int, index: int) -> Taxpayer:
    """Give the taxpayer behind the link or entity number `index`; every third one is a person."""
    return _taxpayer(Random(f"{seed}:subject:{index}"), is_company=index % 3 != 2)


def connected(seed: int, rfc: str) -> Taxpayer:
    """Give the taxpayer who logs in with an RFC; always the same for a seed, companies have 12 characters."""
    plain = _taxpayer(Random(f"{seed}:connected:{rfc}"), is_company=len(rfc) == 12)
    return replace(plain, rfc=rfc)


@lru_cache(_SEEDS_KEPT)
def counterparties(seed: int) -> tuple[Taxpayer, ...]:
    """Give those the subjects buy from and sell to."""
    rng = Random(f"{seed}:counterparties")
    plain = [_taxpayer(rng, is_company=number % 5 != 4) for number in range(COUNTERPARTIES)]
    names = {**_LENDERS, **_PUBLIC_BODIES}
    return tuple(replace(each, name=names.get(number, each.name)) for number, each in enumerate(plain))


def lenders(seed: int) -> dict[str, str]:
    """Give the financial institutions among the counterparties: their names by RFC."""
    return _named(seed, _LENDERS)


def public_bodies(seed: int) -> dict[str, str]:
    """Give the counterparties that are federal, state or municipal bodies: their names by RFC."""
    return _named(seed, _PUBLIC_BODIES)


def _named(seed: int, names: Mapping[int, str]) -> dict[str, str]:
    return {counterparties(seed)[number].rfc: name for number, name in names.items()}


@lru_cache(_SEEDS_KEPT)
def employees(seed: int) -> tuple[Taxpayer, ...]:
    """Give the persons who receive payroll receipts."""
    rng = Random(f"{seed}:employees")
    return tuple(_taxpayer(rng, is_company=False) for _ in range(EMPLOYEES))
