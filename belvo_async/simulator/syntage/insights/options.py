"""What is asked of an insight: its options (`from`, `to`, `periodicity`, `type`), and the language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ...wire import Incoming
from ..options import DEFAULT_FROM, Problem, read_instant

PERIODICITIES: Final = ("monthly", "daily", "weekly", "quarterly", "yearly")
PERIOD: Final = ("options[from]", "options[to]")
_CHOICE, _BLANK = "The value you selected is not a valid choice.", "This value should not be blank."


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question. `is_whole`: no period was named. `is_of_2022`: years in that format alone. `now` is when."""

    start: datetime
    end: datetime
    periodicity: str
    type: str
    is_whole: bool
    is_spanish: bool
    is_of_2022: bool
    now: datetime

    def covers(self, at: datetime) -> bool:
        """Whether an instant lies in the period.

        The bounds are "greater than" and "less than" in the document, but its example goes from the first instant of a
        day to the last millisecond of another: both are taken in.
        """
        return self.start <= at < self.end + timedelta(milliseconds=1)


def read_asked(
    call: Incoming,
    types: Sequence[str],
    *,
    is_typed: bool,
    now: datetime,
    periodicities: Sequence[str] = PERIODICITIES,
) -> Question | list[Problem]:
    """Read the options of a request, or tell what is wrong.

    `types` and `periodicities` are their words; `is_typed`: a type must be named. The usual periodicity is the first.
    """
    periodicity, type_ = call.one("options[periodicity]"), call.one("options[type]")
    problems = [
        (f"options.{name}", "This value is not a valid date.")
        for name in ("from", "to")
        if call.one(f"options[{name}]") is not None and read_instant(call.one(f"options[{name}]")) is None
    ]
    if periodicity is not None and periodicity not in periodicities:
        problems.append(("options.periodicity", _CHOICE))
    if types and (type_ not in types if type_ is not None else is_typed):
        problems.append(("options.type", _BLANK if type_ is None else _CHOICE))
    start, end = read_instant(call.one("options[from]")), read_instant(call.one("options[to]"))
    return problems or Question(
        start=start or datetime.fromisoformat(DEFAULT_FROM).replace(tzinfo=UTC),
        end=end or now,
        periodicity=periodicity or periodicities[0],
        type=type_ or "total",
        is_whole=start is None and end is None,
        is_of_2022=call.headers.get("X-Insight-Format") == "2022",
        is_spanish=call.headers.get("Accept-Language", "").lower().startswith("es"),
        now=now,
    )
