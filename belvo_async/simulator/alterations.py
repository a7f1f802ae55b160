"""What the SAT comes to say of receipts and taxpayers later than it said first: by order, or by chance of the seed."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final, Literal, get_args

from .cfdi import Cfdi
from .wire import Json

Alteration = Literal[
    "respelled", "cancelled", "repriced", "vanished", "presumed", "definitive", "compliant", "negative", "suspended"
]
ALTERATIONS: Final[tuple[str, ...]] = get_args(Alteration)
# How often each strikes a receipt that is struck at all. Most of what moves in such records is spelling.
_OF_RECEIPTS: Final = ("respelled",) * 5 + ("cancelled",) * 3 + ("repriced", "vanished")
_LATEST_DAYS: Final = 300
# Taxpayers change in some year from here on.
_YEARS_BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
_TAXPAYER_DAYS: Final = 900
_SPELLINGS: Final[tuple[Callable[[str], str], ...]] = (
    lambda name: name,
    lambda name: name.title(),
    lambda name: name.replace(" SA DE CV", ", S.A. de C.V."),
    lambda name: f" {name.replace(' ', '  ')} ",
    lambda name: name.translate(str.maketrans("ÑAEIOU", "NÁÉÍÓÚ")),
    lambda name: name.translate({ord(each): ord(each) + 0xFEE0 for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}),
)


class Alterations:
    """Knows which alterations hold at an instant. Of `share` of the receipts and taxpayers by chance; off at 0."""

    def __init__(self, seed: int, share: float, now: Callable[[], datetime]) -> None:
        self._seed = seed
        self._share = share
        self._now = now
        self._orders: dict[str, dict[str, datetime]] = defaultdict(dict)

    def order(self, alteration: str, of: str) -> None:
        """Let it hold from now on, of a receipt (by its fiscal uuid) or of a taxpayer (by RFC)."""
        if alteration not in ALTERATIONS:
            raise ValueError(f"unknown alteration {alteration!r}; known: {', '.join(ALTERATIONS)}")
        # The latest order is the last.
        self._orders[of.lower()].pop(alteration, None)
        self._orders[of.lower()][alteration] = self._now()

    def of_receipt(self, cfdi: Cfdi) -> dict[str, datetime]:
        """What holds of a receipt now, and since when."""
        drawn = self._drawn(cfdi.uuid, _OF_RECEIPTS, cfdi.issued_at, _LATEST_DAYS)
        return {**drawn, **self._ordered(cfdi.uuid)} if self._share or self._orders else {}

    def is_gone(self, cfdi: Cfdi) -> bool:
        """Whether a receipt is shown no longer."""
        return "vanished" in self.of_receipt(cfdi)

    def listed(self, rfc: str) -> str | None:
        """In which stage of the list of article 69-B a taxpayer is: `presumed` or `definitive`."""
        stages = ("presumed", "definitive")
        holds = [*self._drawn(f"{rfc}:69-B", stages, _YEARS_BEGIN, _TAXPAYER_DAYS), *self._ordered(rfc)]
        return next((each for each in reversed(holds) if each in stages), None)

    def opinion(self, rfc: str) -> str | None:
        """What the opinion of compliance says (`compliant`, `negative`, `suspended`); None where chance is to say."""
        words = ("compliant", "negative", "suspended")
        fate = self._drawn(f"{rfc}:opinion", ("negative",), _YEARS_BEGIN, _TAXPAYER_DAYS)
        usual = ["compliant"] if self._share else []
        return next((each for each in reversed([*usual, *fate, *self._ordered(rfc)]) if each in words), None)

    def is_suspended(self, rfc: str) -> bool:
        """Whether the registry calls a taxpayer suspended."""
        fate = self._drawn(f"{rfc}:registry", ("suspended",), _YEARS_BEGIN, _TAXPAYER_DAYS)
        return "suspended" in [*self._ordered(rfc), *fate]

    def spell(self, name: str) -> str:
        """Spell a name in another way each week."""
        week = self._now().toordinal() // 7
        return _SPELLINGS[(week + len(name)) % len(_SPELLINGS)](name)

    def digits(self, amount: Json) -> Json:
        """Print an amount with more digits in some weeks; it is the same amount."""
        is_odd = self._now().toordinal() // 7 % 2
        return amount.quantize(Decimal("0.000001")) if is_odd and isinstance(amount, Decimal) else amount

    def _ordered(self, key: str) -> dict[str, datetime]:
        return self._orders.get(key.lower(), {}) if self._orders else {}

    def _drawn(self, key: str, kinds: tuple[str, ...], since: datetime, days: int) -> dict[str, datetime]:
        if not self._share:
            return {}
        rng = Random(f"{self._seed}:{key}:alterations")
        is_struck, kind, after = rng.random() < self._share, rng.choice(kinds), timedelta(days=rng.uniform(2, days))
        return {kind: since + after} if is_struck and self._now() >= since + after else {}
