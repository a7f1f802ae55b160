"""What the page shows, as frozen values: everything is decided here, what renders them only draws."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from ..planning import Known, Price


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How many taxpayers (links, entities) are whole, will go on by themselves, or wait for a person."""

    whole: int = 0
    in_progress: int = 0
    needs_a_person: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.whole + self.in_progress + self.needs_a_person


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """What this month's requests cost by the user's price list.

    `requests` were sent since `month`, its first day in Mexico City; `unpriced` of them stand in no price list. `price`
    is None without a list.
    """

    month: date
    requests: int
    unpriced: int
    currency: str
    price: Price | None = None
    budget: Decimal | None = None


class OldestOpen(msgspec.Struct, frozen=True, kw_only=True):
    """The job that is open for the longest time, and how many are."""

    job: str
    vendor: str
    resource: str
    subject: str
    state: str
    since: datetime
    count: int


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One taxpayer of a trouble, and the job to look at."""

    subject: str
    job: str | None = None
    first: date | None = None
    last: date | None = None
    at: datetime | None = None


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a person: one reason, of however many taxpayers.

    `commands` are to be typed as they stand. `examples` are the first few of them, the latest first.
    """

    vendor: str
    resource: str
    code: str
    why: str
    taxpayers: int
    commands: tuple[str, ...]
    examples: tuple[Example, ...] = ()


class Months(msgspec.Struct, frozen=True, gc=False):
    """Months that show alike, counted from the calendar's first, both meant."""

    first: int
    last: int
    known: Known


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """The months of one direction of a taxpayer."""

    direction: str
    stretches: tuple[Months, ...]


class Days(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Days of which the same is known, and the job that it is known by."""

    direction: str
    first: date | None
    last: date | None
    known: Known
    code: str | None = None
    job: str | None = None
    at: datetime | None = None
    retry_at: datetime | None = None


class CalendarRow(msgspec.Struct, frozen=True, kw_only=True):
    """One taxpayer. `open_days` are those that are not proven, `left_off` how many more of them there are."""

    subject: str
    is_whole: bool
    needs_a_person: bool
    proven_days: int
    wanted_days: int
    strips: tuple[Strip, ...]
    open_days: tuple[Days, ...] = ()
    left_off: int = 0


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of each month of a plan, or of all that was asked for of one resource.

    `name` is the plan's, None for what was asked for. `months` are counted from `start`; None and 1 for a resource
    without a period. Who is not whole comes first; `whole_left_off` and `others_left_off` are not shown.
    """

    name: str | None
    vendor: str
    resource: str
    start: date | None
    months: int
    taxpayers: int
    whole: int
    rows: tuple[CalendarRow, ...]
    whole_left_off: int = 0
    others_left_off: int = 0


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one resource since yesterday.

    `new` and `changed` are the vendor's own counts, where it gives some: None where none of its jobs had one. `rows`
    were handed to sinks, in `parts`.
    """

    vendor: str
    resource: str
    finished: int = 0
    partial: int = 0
    failed: int = 0
    new: int | None = None
    changed: int | None = None
    rows: int = 0
    parts: int = 0


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """How long jobs of a resource took from their submission to their end.

    `jobs` is how many finished ones that is from; `today` are those that ended today.
    """

    vendor: str
    resource: str
    jobs: int
    p50: timedelta
    p95: timedelta
    today: tuple[timedelta, ...] = ()
    today_jobs: int = 0
    today_p50: timedelta | None = None


class FailureCode(msgspec.Struct, frozen=True, kw_only=True):
    """How often a code ended a job over the last days; `by_day` from the oldest to today."""

    vendor: str
    code: str
    count: int
    last_at: datetime
    last_job: str
    by_day: tuple[int, ...]


class RecordedDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor recorded of its own deliveries, told when it was asked; `why_not` says why it could not be.

    `failed` of its newest `attempts` were not taken; `last_status` and `last_at` are of the newest (0: nobody
    answered). `faults`: what is wrong with its endpoints.
    """

    attempts: int = 0
    failed: int = 0
    last_status: int | None = None
    last_at: datetime | None = None
    faults: tuple[str, ...] = ()
    why_not: str | None = None


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """How a vendor's jobs were settled in the last days. `last_delivery` is None where the store knows of none.

    `recorded` is what the vendor itself says; None where nobody asked it.
    """

    vendor: str
    last_delivery: datetime | None
    by_webhook: int = 0
    by_poll: int = 0
    by_inference: int = 0
    by_answer: int = 0
    unread: int = 0
    recorded: RecordedDeliveries | None = None

    @property
    def total(self) -> int:
        """How many were settled, by whatever way."""
        return self.by_webhook + self.by_poll + self.by_inference + self.by_answer


class Morning(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page. `is_asked`: no plan was given, so it shows what was ever asked for."""

    made_at: datetime
    is_asked: bool
    standing: Standing
    money: Money
    oldest: OldestOpen | None
    troubles: tuple[Trouble, ...]
    troubles_left_off: int
    calendars: tuple[Calendar, ...]
    since: datetime
    came: tuple[Came, ...]
    took: tuple[Took, ...]
    failures: tuple[FailureCode, ...]
    webhooks: tuple[Webhooks, ...]
