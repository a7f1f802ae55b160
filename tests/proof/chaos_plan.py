"""What the processes of a chaos run agree on: where everything is, what is fired when, and what they write down."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec

from belvo_async import Belvo, Syntage, belvo, syntage
from belvo_async.jobs import Task
from belvo_async.vendors.belvo.poll import QUIET

FIRST_DAY = date(2015, 1, 1)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a process needs to take part; `began` is the monotonic clock, which all processes share."""

    store: str
    history: str
    seed: int
    workers: int
    began: float
    every: float
    haste: float
    belvo_url: str
    belvo_secret_id: str
    belvo_secret_password: str
    belvo_authorization: str
    links: tuple[str, ...]
    syntage_url: str
    syntage_key: str
    syntage_secret: str
    entities: tuple[str, ...]

    def vendors(self) -> tuple[Belvo, Syntage]:
        return (
            Belvo(
                self.belvo_secret_id,
                self.belvo_secret_password,
                base_url=self.belvo_url,
                webhook_authorization=self.belvo_authorization,
                budget=False,
                quiet=QUIET / self.haste,
            ),
            Syntage(self.syntage_key, base_url=self.syntage_url, webhook_secrets=(self.syntage_secret,)),
        )

    def task(self, slot: int) -> Task[Any]:
        """The task of a slot. No two slots have equal ones; every third is Belvo's, whose links are lanes."""
        turn, is_other = divmod(slot, 3)
        if not is_other:
            links = len(self.links)
            first = FIRST_DAY + timedelta(days=turn // links)
            return belvo.Invoices(
                link=self.links[turn % links], date_from=first, date_to=first + timedelta(days=9), type="INFLOW"
            )
        round_, place = divmod(slot, len(self.entities))
        first = FIRST_DAY + timedelta(days=round_)
        period = syntage.Period(from_=first, to=first + timedelta(days=9))
        return syntage.Extraction(
            entity=self.entities[place], extractor="invoice", options=syntage.InvoiceOptions(period=period)
        )

    def workers_of(self, slot: int) -> list[int]:
        """Who fires a slot's task: mostly one worker, sometimes several at once."""
        chance = Random(f"{self.seed}:{slot}")
        return chance.sample(range(self.workers), chance.choice((1, 1, 1, 2, self.workers)))


Kind = Literal["start", "fire", "fired", "trouble", "attached", "outcome", "unknown", "drained"]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something a worker did or was told. `since` is when the call began, `at` when it ended."""

    kind: Kind
    who: str
    at: float
    since: float = 0.0
    slot: int = -1
    job: str = ""
    word: str = ""


class History:
    """A file all processes append to, line by line, and read."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self._read_to = 0
        self._rest = b""

    def note(self, event: Event) -> None:
        """One short write to the end: the kernel neither tears nor mixes it, whoever is killed."""
        os.write(self._number, msgspec.json.encode(event) + b"\n")

    def news(self) -> list[Event]:
        """What was written since the last time."""
        found = b""
        while part := os.pread(self._number, 1 << 20, self._read_to):
            self._read_to += len(part)
            found += part
        *lines, self._rest = (self._rest + found).split(b"\n")
        return [msgspec.json.decode(line, type=Event) for line in lines]

    def close(self) -> None:
        os.close(self._number)
