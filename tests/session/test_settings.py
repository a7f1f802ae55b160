"""Where settings come from, and what a mistake in them says; and that nothing secret shows anywhere."""

from __future__ import annotations

import asyncio
import pickle
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Belvo, BelvoAsyncError, ConfigurationError, Polling, Session, TaskError, syntage
from belvo_async.stores.memory.store import MemoryStore
from tests.session.world import World

BELVO = {"BELVO_SECRET_ID": "canary-id-1234", "BELVO_SECRET_PASSWORD": "canary-password-1234"}
SYNTAGE = {"SYNTAGE_API_KEY": "canary-key-1234"}
ENTITY = "/entities/7b3a1c54-6f0e-4f0e-9d3c-2f1f1f1f1f1f"
EVERYTHING = {
    **BELVO,
    **SYNTAGE,
    "BELVO_ENV": "production",
    "BELVO_WEBHOOK_AUTH": "Bearer canary-authorization-1234",
    "SYNTAGE_ENV": "production",
    "SYNTAGE_WEBHOOK_SECRET": "canary-secret-one-1234,canary-secret-two-1234",
}


def test_every_variable_is_read(tmp_path: Path) -> None:
    """Each vendor reads its own variables, the session reads the store's."""
    path = tmp_path / "jobs.db"

    session = Session.from_env(EVERYTHING | {"BELVO_ASYNC_STORE": f"sqlite:{path}"})

    belvo, syntage = session.vendors["belvo"], session.vendors["syntage"]
    assert ("https://api.belvo.com", "https://api.syntage.com") == (belvo.origin, syntage.origin)
    assert (True, True) == (belvo.accepts_webhooks, syntage.accepts_webhooks)
    assert not isinstance(session.store, MemoryStore)


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """`from_env()` without arguments reads the variables of the process."""
    for name, value in EVERYTHING.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BELVO_ASYNC_STORE", raising=False)

    session = Session.from_env()

    assert {"belvo", "syntage"} == set(session.vendors)
    assert isinstance(session.store, MemoryStore)


@pytest.mark.parametrize(("environ", "names"), [(BELVO, {"belvo"}), (SYNTAGE, {"syntage"})])
def test_a_vendor_without_variables_is_left_out(environ: dict[str, str], names: set[str]) -> None:
    """One vendor is enough; defaults are the sandbox and no webhooks."""
    session = Session.from_env(environ)

    (vendor,) = session.vendors.values()
    assert names == set(session.vendors)
    assert "sandbox" in vendor.origin
    assert not vendor.accepts_webhooks


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        pytest.param({}, ["BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD", "SYNTAGE_API_KEY"], id="nothing"),
        pytest.param({"BELVO_SECRET_ID": "canary-id-1234"}, ["BELVO_SECRET_PASSWORD"], id="no password"),
        pytest.param({"BELVO_SECRET_PASSWORD": "canary-password-1234"}, ["BELVO_SECRET_ID"], id="no id"),
        pytest.param({**SYNTAGE, "BELVO_SECRET_ID": "canary-id-1234"}, ["BELVO_SECRET_PASSWORD"], id="half of one"),
        pytest.param({**BELVO, "BELVO_ENV": "canary-env-1234"}, ["BELVO_ENV"], id="belvo environment"),
        pytest.param({**SYNTAGE, "SYNTAGE_ENV": "canary-env-1234"}, ["SYNTAGE_ENV"], id="syntage environment"),
    ],
)
def test_the_missing_variable_is_named(environ: dict[str, str], named: list[str]) -> None:
    """A ConfigurationError (a ValueError) names what to set, and repeats no value."""
    with pytest.raises(ConfigurationError) as refused:
        Session.from_env(environ)

    assert isinstance(refused.value, ValueError)
    assert all(name in str(refused.value) for name in named)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("url", ["", "redis", "mysql://canary-user:canary-1234@host", "sqlite:", "sqlite:///x", "file"])
def test_an_unknown_store_is_a_mistake(url: str) -> None:
    """A store's URL may hold a password: it is not repeated."""
    with pytest.raises(ConfigurationError) as refused:
        Session(Belvo.from_env(BELVO), store=url)

    assert "canary" not in str(refused.value)


def test_a_session_needs_vendors_of_different_kinds() -> None:
    """None is too few; two of one kind could not be told apart."""
    with pytest.raises(ConfigurationError):
        Session()
    with pytest.raises(ConfigurationError):
        Session(Belvo.from_env(BELVO), Belvo.from_env(BELVO))


@pytest.mark.parametrize(
    ("vendors", "words"),
    [
        pytest.param(["canary-key-1234"], "argument 1 of Session is of type str", id="text"),
        pytest.param([Belvo.from_env(BELVO), 7], "argument 2 of Session is of type int", id="number"),
        pytest.param([Belvo], "argument 1 of Session is the class Belvo: call it", id="class"),
        pytest.param([Path("jobs.db")], "where a vendor belongs", id="path"),
    ],
)
def test_what_is_no_vendor_is_a_mistake(vendors: list[Any], words: str) -> None:
    """Said in a sentence, when the session is made; a key put there by mistake is not repeated."""
    with pytest.raises(ConfigurationError, match=words) as refused:
        Session(*vendors)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("store", [Path("jobs.db"), None, 7, MemoryStore], ids=str)
def test_what_is_no_store_is_a_mistake(store: Any) -> None:
    """A path is no URL: how to write it is said."""
    with pytest.raises(ConfigurationError, match="for a file `sqlite:PATH`"):
        Session(Belvo.from_env(BELVO), store=store)


async def test_a_bare_number_is_no_span(world: World) -> None:
    """Seconds or minutes? Deadlines and timeouts are timedeltas; the field is named."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    wrong: Any = 0.001

    with pytest.raises(TaskError, match="`timeout` is a timedelta") as timeout:
        await handle.wait(timeout=wrong)
    with pytest.raises(TaskError, match="`deadline` is a timedelta") as deadline:
        await session.fire(world.invoices(), deadline=wrong)

    assert ("timeout", "deadline") == (timeout.value.field, deadline.value.field)
    assert [] == world.sent("POST", "/api")


@pytest.mark.parametrize(("wrong", "kind"), [("2025-01-01", "of type str"), (datetime(2025, 1, 1), "one without")])  # noqa: DTZ001 - that is the case
async def test_an_instant_without_a_zone_is_refused(world: World, wrong: Any, kind: str) -> None:
    """With what was given in its place, and what belongs there."""
    session = await world.open(world.belvo_vendor())

    with pytest.raises(
        TaskError, match=rf"^`since` is a datetime with a zone, such as datetime.now\(UTC\); not {kind}$"
    ):
        session.settled("warehouse", since=wrong)


@pytest.mark.parametrize("task", ["invoices", None, 7, syntage.Extraction(ENTITY, "tax_status")])
async def test_a_task_nobody_takes_is_named(world: World, task: Any) -> None:
    """The sentence fits whatever the type is called."""
    session = await world.open(world.belvo_vendor())

    with pytest.raises(TaskError, match=f"^no vendor of this session takes {type(task).__name__} tasks; it has belvo$"):
        await session.fire(task)


def test_options_go_through_from_env() -> None:
    """What the environment does not say, the caller may."""
    store = MemoryStore()

    session = Session.from_env(BELVO, store=store, polling=Polling(first=timedelta(seconds=1)))

    assert store is session.store


# Secrets


def test_no_repr_holds_a_secret() -> None:
    """Vendors and sessions may be printed."""
    session = Session.from_env(EVERYTHING)

    shown = [
        repr(each) for each in (session, *session.vendors.values(), vars(session), *map(vars, session.vendors.values()))
    ]

    assert [] == [text for text in shown if "canary" in text]


async def test_no_text_of_a_run_holds_a_secret(world: World) -> None:
    """Handles, jobs, timelines and every error, of a run in which much goes wrong, show no credential and no RFC."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    world.syntage.next_answer("unauthorized", path="/extractions")
    world.belvo.next_answer("lost_202")
    handles = [
        await session.fire(world.extraction(0)),
        await session.fire(world.extraction(1)),
        await session.fire(world.invoices(0)),
        await session.fire(world.invoices(0, type="OUTFLOW")),
        await session.fire(world.extraction(2)),
    ]
    outcomes = await asyncio.gather(*(handle.wait(timedelta(seconds=90)) for handle in handles), return_exceptions=True)
    world.belvo.next_answer("authentication_failed", method="GET", count=9)
    outcomes += await asyncio.gather(handles[2].results().to_list(), return_exceptions=True)
    timelines = [await session.store.timeline(handle.id) for handle in handles]

    texts = [repr(each) for each in (session, *handles, *outcomes, *timelines, handles[0].results())]
    texts += [str(each) for each in outcomes]

    assert any(isinstance(each, BelvoAsyncError) for each in outcomes)
    assert [] == [text for text in texts if any(secret in text for secret in _secrets(world))]


async def test_errors_pickle(world: World) -> None:
    """An error may cross processes: job, code and text survive."""
    session = await world.open()
    world.syntage.next_job(outcome="failed")
    handle = await session.fire(world.extraction())
    (error,) = await asyncio.gather(handle, return_exceptions=True)

    copy = pickle.loads(pickle.dumps(error))

    assert (type(error), str(error), error.code, error.job) == (type(copy), str(copy), copy.code, copy.job)


def _secrets(world: World) -> set[str]:
    belvo, syntage = world.belvo, world.syntage
    keys = {
        belvo.secret_id,
        belvo.secret_password,
        belvo.webhook_authorization,
        syntage.api_key,
        syntage.signing_secret,
    }
    return keys | set(map(belvo.rfc_of, belvo.links)) | set(map(syntage.rfc_of, syntage.entities))
