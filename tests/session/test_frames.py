"""Whatever a session raises, no frame, cause or text of it shows a row, a body, a password or a key."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from belvo_async import (
    Belvo,
    JobHandle,
    PayloadError,
    RemoteFile,
    Session,
    SessionClosedError,
    StoreError,
    Syntage,
    TaskError,
    TransportError,
    VendorError,
    belvo,
    syntage,
)
from belvo_async._session.reading.results import Results
from belvo_async._session.reads import Reads
from belvo_async.abc import Call, Download, Query
from belvo_async.jobs import Task
from tests.frames import leaks_of, provoked
from tests.http.origin import Cut, Origin, Step, reply
from tests.session.paged import invoices
from tests.session.world import World
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock

# Stands for whatever may not show: in rows, bodies, headers, passwords and keys alike.
CANARY = "canary0d5b91e7"
LINK = "c81a9a1b-2f3c-4c0e-9d51-0a1b2c3d4e5f"
ENTITY = "/entities/7b3a9a1b-2f3c-4c0e-9d51-0a1b2c3d4e5f"
INVOICE = "0195f6c2-100e-7a10-8c3e-5b7d90e1b000"

Action = Callable[[Session], Awaitable[object]]


def row(**changes: Any) -> dict[str, Any]:
    plain = {"id": INVOICE, "@id": f"/invoices/{INVOICE}", "type": "INFLOW", "link": LINK, "xml": CANARY * 50}
    return plain | changes


def page(*rows: dict[str, Any]) -> bytes:
    """A page that either vendor could have sent."""
    return json.dumps({"count": len(rows), "results": rows, "hydra:member": rows, "hydra:totalItems": 9}).encode()


def cut(body: bytes, *, after: int, **headers: str) -> Sequence[Step]:
    """An answer that breaks off."""
    whole = reply(body=body, **headers)
    return (whole[: len(whole) - len(body) + after], 0.1, Cut.RESET)


def stuck(body: bytes, *, after: int) -> Sequence[Step]:
    """An answer that stops without an end."""
    whole = reply(body=body)
    return (whole[: len(whole) - len(body) + after], 3600.0)


ROWS = page(*(row(id=f"{number:032}") for number in range(40)))
ODD = page(row(), row(id=f"{1:032}", invoice_date=CANARY, issuedAt=CANARY, total={"a": CANARY}))
NO_JSON = f'{{"results": [{{"id": "{CANARY}" "x"}}], "hydra:member": [{{"id": "{CANARY}" 1}}]}}'.encode()
ERROR = json.dumps([{"code": "invalid", "message": CANARY, "hydra:description": CANARY}]).encode()


@asynccontextmanager
async def serving(clock: VirtualClock, *script: Step, **options: Any) -> AsyncIterator[Session]:
    """A session on both vendors, where every request is answered by a script."""
    async with Origin([script]) as origin:
        vendors = (
            Belvo(f"id{CANARY}", CANARY, base_url=origin.url, budget=False, webhook_authorization=f"Bearer {CANARY}"),
            Syntage(CANARY, base_url=origin.url, webhook_secrets=CANARY * 2),
        )
        async with Session(*vendors, clock=clock, sweep=False, **options) as session:
            yield session


async def drain(rows: Any) -> None:
    async for each in rows:
        assert each


def belvo_list(session: Session, **options: Any) -> Any:
    return session.list(belvo.InvoiceList(link=LINK), **options)


def syntage_list(session: Session, **options: Any) -> Any:
    return session.list(syntage.Invoices(entity=ENTITY), **options)


READS: dict[str, Action] = {
    "belvo rows": lambda session: drain(belvo_list(session)),
    "belvo batches": lambda session: drain(belvo_list(session).batches()),
    "belvo list": lambda session: belvo_list(session).to_list(),
    "belvo dicts": lambda session: belvo_list(session, type=dict).to_list(),
    "belvo record": lambda session: session.call(belvo.GetInvoice(INVOICE)),
    "belvo link": lambda session: session.call(
        belvo.CreateLink(institution="sat_mx_fiscal", username="PFIS010101XY3", password=CANARY)
    ),
    "syntage rows": lambda session: drain(syntage_list(session)),
    "syntage list": lambda session: syntage_list(session).to_list(),
    "syntage dicts": lambda session: syntage_list(session, type=dict).to_list(),
    "syntage record": lambda session: session.call(syntage.GetInvoice(INVOICE)),
    "syntage credential": lambda session: session.call(
        syntage.CreateCredential(syntage.Ciec(rfc="XAXX010101000", password=CANARY))
    ),
    "syntage file in chunks": lambda session: drain(session.download(syntage.Cfdi(INVOICE))),
    "syntage file": lambda session: session.download(syntage.Cfdi(INVOICE)).read(),
}
JSON_READS = {name: action for name, action in READS.items() if "file" not in name}


async def raised_by(action: Awaitable[object], *kinds: type[BaseException]) -> BaseException:
    with pytest.raises(kinds) as raised:
        await action
    return provoked(raised)


@pytest.mark.parametrize("action", READS.values(), ids=READS)
async def test_an_answer_that_is_cut(clock: VirtualClock, action: Action) -> None:
    """However much of it has come, nothing of it shows."""
    async with serving(clock, *cut(ROWS, after=len(ROWS) // 2)) as session:
        error = await raised_by(action(session), TransportError)

    assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize("action", READS.values(), ids=READS)
async def test_an_answer_that_does_not_end(clock: VirtualClock, action: Action) -> None:
    """The time-out of the caller's own carries a cancellation, and that the frames it ended."""

    async def call(session: Session) -> None:
        async with asyncio.timeout(5):
            await action(session)

    async with serving(clock, *stuck(ROWS, after=len(ROWS) // 2)) as session:
        error = await raised_by(call(session), TimeoutError)

    assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize("action", READS.values(), ids=READS)
async def test_an_answer_that_is_no_gzip(clock: VirtualClock, action: Action) -> None:
    """Bytes that do not inflate."""
    async with serving(clock, reply(body=ROWS, content_encoding="gzip")) as session:
        error = await raised_by(action(session), PayloadError)

    assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize("action", JSON_READS.values(), ids=JSON_READS)
@pytest.mark.parametrize("body", [NO_JSON, ROWS[:-9], b'"' + CANARY.encode()], ids=["malformed", "short", "a text"])
async def test_an_answer_that_cannot_be_read(clock: VirtualClock, action: Action, body: bytes) -> None:
    """JSON that is none."""
    async with serving(clock, reply(body=body)) as session:
        error = await raised_by(action(session), PayloadError)

    assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize("read", [belvo_list, syntage_list])
async def test_a_row_that_does_not_fit(clock: VirtualClock, read: Callable[..., Any]) -> None:
    """Refused where the reading is strict, after rows that fitted."""
    async with serving(clock, reply(body=ODD)) as session:
        error = await raised_by(read(session, strict=True).to_list(), PayloadError)

    assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize("action", READS.values(), ids=READS)
async def test_an_answer_that_refuses(clock: VirtualClock, action: Action) -> None:
    """What a vendor quotes of a request stays out of the error."""
    async with serving(clock, reply(400, body=ERROR)) as session:
        error = await raised_by(action(session), VendorError)

    assert [] == leaks_of(error, CANARY)


async def test_a_file_that_is_too_long(clock: VirtualClock) -> None:
    """The bytes that came before the limit."""
    async with serving(clock, reply(body=ROWS)) as session:
        error = await raised_by(session.download(syntage.Cfdi(INVOICE)).read(limit_bytes=9), PayloadError)

    assert [] == leaks_of(error, CANARY)


async def test_a_file_that_cannot_be_saved(clock: VirtualClock, tmp_path: Path) -> None:
    """The disk's own error keeps its class."""
    async with serving(clock, reply(body=ROWS)) as session:
        error = await raised_by(session.download(syntage.Cfdi(INVOICE)).save(tmp_path / "no" / "file"), OSError)

    assert [] == leaks_of(error, CANARY)


async def test_a_session_that_closes_meanwhile(clock: VirtualClock) -> None:
    """A reading that is cut by our own end."""
    async with serving(clock, *stuck(ROWS, after=len(ROWS) // 2)) as session:
        reading = asyncio.create_task(belvo_list(session).to_list())
        calling = asyncio.create_task(session.call(belvo.GetInvoice(INVOICE)))
        await asyncio.sleep(1)
        await session.close()

        for each in (reading, calling):
            error = await raised_by(each, SessionClosedError)
            assert [] == leaks_of(error, CANARY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"authorization": CANARY}, [CANARY]), ([CANARY], CANARY.encode()), ({"a": {"b": CANARY}}, {"c": CANARY})],
)
async def test_what_is_no_delivery(clock: VirtualClock, headers: Any, body: Any) -> None:
    """A mistake of the program that hands it over."""
    async with serving(clock, reply()) as session:
        error = await raised_by(session.receive("belvo", headers, body), TypeError)

    assert [] == leaks_of(error, CANARY)


async def test_a_delivery_on_another_loop(clock: VirtualClock) -> None:
    """Refused with nothing of it."""

    def deliver(session: Session) -> None:
        asyncio.run(session.receive("belvo", {"authorization": CANARY}, CANARY.encode()))

    async with serving(clock, reply()) as session:
        error = await raised_by(asyncio.to_thread(deliver, session), SessionClosedError)

    assert [] == leaks_of(error, CANARY)


async def test_a_store_that_is_down(world: World) -> None:
    """Neither keys nor what hangs on the store's error."""
    store = TroubledStore()
    session = await world.open(store=store)
    store.is_down = True

    error = await raised_by(session.fire(world.invoices()), StoreError)

    assert [] == leaks_of(error, world.belvo.secret_password, world.syntage.api_key)


@pytest.mark.parametrize(
    "wrong",
    [
        {"connections": 0},
        {"store": f"redis://:{CANARY}@[::1/0"},
        {"store": f"postgresql://a:{CANARY}@host/db?{CANARY}=1"},
        {"store": f"mysql://a:{CANARY}@host/db"},
        {"store": object()},
    ],
)
def test_a_session_that_cannot_be_made(wrong: dict[str, Any]) -> None:
    """Neither the store's URL nor the vendors' keys; and it can be shown itself."""
    given = {"store": f"redis://:{CANARY}@host/0"} | wrong

    with pytest.raises(ValueError, match=r"\w") as raised:
        Session(Belvo("an-id", CANARY), Syntage(CANARY), **given)

    assert [] == leaks_of(provoked(raised), CANARY)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"BELVO_SECRET_ID": CANARY},
        {"BELVO_SECRET_ID": "id", "BELVO_SECRET_PASSWORD": f"{CANARY}é"},
        {"SYNTAGE_API_KEY": CANARY, "SYNTAGE_ENV": "moon"},
        {"SYNTAGE_API_KEY": CANARY, "BELVO_ASYNC_STORE": "nowhere"},
    ],
)
def test_an_environment_that_does_not_do(environ: dict[str, str]) -> None:
    """None of its variables."""
    with pytest.raises(ValueError, match=r"\w") as raised:
        Session.from_env({"DATABASE_URL": CANARY} | environ)

    assert [] == leaks_of(provoked(raised), CANARY)


async def test_a_checkpoint_of_another_list(clock: VirtualClock) -> None:
    """It names the taxpayer that was asked for."""
    async with serving(clock, reply(body=page(*invoices(3)))) as session:
        with pytest.raises(TaskError) as raised:
            belvo_list(session, resume=f"3 {CANARY} /api/invoices/?rfc={CANARY}")

    assert [] == leaks_of(provoked(raised), CANARY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": CANARY},
        {"resume": f"3 {CANARY} /taxpayers/XAXX010101000/invoices?{CANARY}"},
        {"type": int},
    ],
)
async def test_results_that_are_refused(clock: VirtualClock, wrong: dict[str, Any]) -> None:
    """Neither the taxpayer whose job it is, nor what was given."""
    period = {"from": "2024-01-01", "to": "2024-02-01"}
    task = syntage.Extraction("/taxpayers/XAXX010101000", "invoice", {"period": period})
    async with serving(clock, reply()) as session:
        job = await session.adopt("syntage", INVOICE, task)
        with pytest.raises(TaskError) as raised:
            job.results(**wrong)

    assert [] == leaks_of(provoked(raised), CANARY, "XAXX010101000")


def test_half_built_objects_can_be_shown() -> None:
    """A debugger shows what `self` is while a constructor refuses its arguments."""
    for kind in (Belvo, Syntage, Session):
        assert repr(kind.__new__(kind))


def are_doors(kind: type[object]) -> dict[str, bool]:
    """Which of a type's coroutine functions, checks and constructors are doors."""
    own = {name: each for name, each in vars(kind).items() if not name.startswith("_") or name == "__post_init__"}
    wanted = [name for name, each in own.items() if inspect.iscoroutinefunction(each) or name == "__post_init__"]
    return {name: hasattr(own[name], "__wrapped__") for name in wanted}


@pytest.mark.parametrize("kind", [Session, Reads, JobHandle, Results, RemoteFile], ids=lambda kind: kind.__name__)
def test_what_is_awaited_is_a_door(kind: type[object]) -> None:
    """Whatever is called on a session, and on what it hands out: see `belvo_async.discreet`."""
    assert [] == [name for name, is_door in are_doors(kind).items() if not is_door]


@pytest.mark.parametrize("module", [belvo, syntage], ids=["belvo", "syntage"])
def test_what_checks_an_order_is_a_door(module: Any) -> None:
    """Orders hold passwords and name taxpayers."""
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind)]
    orders = {each for kind in kinds if issubclass(kind, Call | Query | Task | Download) for each in kind.__mro__}

    assert [] == [each.__name__ for each in orders if not all(are_doors(each).values())]
