"""The user's price list: what one request costs. No price of a vendor is known here; contracts differ."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, cast

import msgspec

from ..errors import ConfigurationError


class Price(msgspec.Struct, frozen=True):
    """What one request costs at least and at most, in the list's currency."""

    low: Decimal
    high: Decimal

    def times(self, count: int) -> Price:
        """What so many cost."""
        return Price(self.low * count, self.high * count)

    def plus(self, other: Price) -> Price:
        """What both cost."""
        return Price(self.low + other.low, self.high + other.high)


FREE: Final = Price(Decimal(0), Decimal(0))


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """A price list: for each vendor, or for each resource of it, what one request costs.

    `of` are prices by `vendor` or `vendor.resource`. As TOML, each a number or a range:

        currency = "MXN"
        belvo = 1.50
        [syntage]
        invoice = { low = 10, high = 23 }
        tax_status = 5
    """

    currency: str = "MXN"
    of: Mapping[str, Price] = {}

    @classmethod
    def from_toml(cls, text: str) -> Prices:
        """Read a price list. Raises ConfigurationError naming line or key."""
        import tomllib

        try:
            given = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"the price list is no TOML: {error}") from None
        return cls.read(given)

    @classmethod
    def read(cls, given: Mapping[str, object], *, within: str = "") -> Prices:
        """Read a price list that was parsed already; `within` is where it stands, for errors."""
        currency = given.get("currency", "MXN")
        if not isinstance(currency, str) or not (currency.isascii() and currency.isalpha() and len(currency) == 3):
            raise ConfigurationError(f"{within}currency must be a code of three letters, such as MXN")
        prices: dict[str, Price] = {}
        for vendor, value in given.items():
            if vendor == "currency":
                continue
            resources = _read_table(value)
            if resources is None:
                prices[vendor.casefold()] = _read_price(value, within + vendor)
                continue
            for resource, each in resources.items():
                key = f"{vendor}.{resource}"
                prices[key.casefold()] = _read_price(each, within + key)
        return cls(currency=currency.upper(), of=prices)

    def price(self, vendor: str, resource: str) -> Price | None:
        """What one request for a resource costs; None where the list does not say."""
        return self.of.get(f"{vendor}.{resource}".casefold()) or self.of.get(vendor.casefold())


def _read_table(value: object) -> Mapping[str, object] | None:
    """The prices of a vendor's resources; None for one price of all of them."""
    if not isinstance(value, Mapping):
        return None
    table = cast("Mapping[str, object]", value)
    return None if table and table.keys() <= {"low", "high"} else table


def _read_price(value: object, where: str) -> Price:
    given: Mapping[str, object] = {"low": value, "high": value}
    if isinstance(value, Mapping):
        given = cast("Mapping[str, object]", value)
    if given.keys() != {"low", "high"}:
        raise ConfigurationError(f"{where} must be a number, or a range: {{ low = 10, high = 23 }}")
    low, high = (_read_amount(given[name], where) for name in ("low", "high"))
    if high < low:
        raise ConfigurationError(f"{where}: low is more than high")
    return Price(low, high)


def _read_amount(value: object, where: str) -> Decimal:
    amount = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ConfigurationError(f"{where} must be a number that is not negative")
    return amount
