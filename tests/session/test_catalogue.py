"""The whole catalogues through the session, over real HTTP: jobs, direct reads, calls and files."""

from __future__ import annotations

import asyncio
import gc
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import (
    Belvo,
    ConfigurationError,
    JobRejectedError,
    NotFoundError,
    PayloadError,
    Session,
    SessionClosedError,
    Status,
    TaskError,
    TokenRequiredError,
    UnsupportedError,
    VendorError,
    Way,
    belvo,
    syntage,
)
from belvo_async.abc import Call, Download
from tests.session.world import World

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
PERIOD = syntage.Period(from_=FIRST, to=LAST)


def ids(records: list[Any]) -> set[str | None]:
    return {each.id for each in records}


def held(directory: Path) -> list[tuple[str, int]]:
    """What a directory holds, with sizes."""
    return [(each.name, each.stat().st_size) for each in directory.iterdir()]


# Syntage's jobs

EXTRACTORS: dict[str, tuple[object, type[object]]] = {
    "invoice": (syntage.InvoiceOptions(period=PERIOD), syntage.Invoice),
    "annual_tax_return": (syntage.TaxReturnOptions(period=PERIOD), syntage.TaxReturn),
    "monthly_tax_return": (syntage.TaxReturnOptions(period=PERIOD), syntage.TaxReturn),
    "rif_tax_return": (syntage.TaxReturnOptions(period=PERIOD), syntage.TaxReturn),
    "tax_retention": (syntage.TaxRetentionOptions(period=PERIOD), syntage.TaxRetention),
    "electronic_accounting": (syntage.ElectronicAccountingOptions(period=PERIOD), syntage.ElectronicAccountingRecord),
    "tax_status": (None, syntage.TaxStatus),
    "tax_compliance": (None, syntage.TaxComplianceCheck),
    "buro_de_credito_report": (None, syntage.BuroReport),
    "sat_certificates": (None, syntage.SatCertificate),
    "rpc": (None, syntage.RpcEntidade),
    "rug": (None, syntage.RugGarantia),
    "bil": (None, syntage.BilReport),
    "background_check": (None, syntage.BackgroundCheck),
}


def test_every_extractor_is_here() -> None:
    """The table below is the catalogue's own."""
    assert set(syntage.EXTRACTORS) == set(EXTRACTORS)


@pytest.mark.parametrize("extractor", EXTRACTORS)
async def test_each_extractor_has_results(world: World, extractor: str) -> None:
    """What an extraction brought is read by its handle, typed, from the list that goes with it."""
    options, record = EXTRACTORS[extractor]
    session = await world.open()
    records: list[object] = []
    for entity in range(len(world.syntage.entities)):  # persons alone are in the RIF, companies alone in registers
        handle = await session.fire(world.extraction(entity, extractor=extractor, options=options))
        await handle
        records += await handle.results().to_list()
        if records:
            break

    assert records
    assert {record} == {type(each) for each in records}


@pytest.mark.parametrize("resource", ["line-items", "payments", "credit-notes"])
async def test_invoices_have_companions(world: World, resource: str) -> None:
    """What stands on and around the invoices of an extraction is read by naming it."""
    session = await world.open()
    handle = await session.fire(world.extraction(options=syntage.InvoiceOptions(period=PERIOD)))
    await handle

    records = await handle.results(resource).to_list()

    assert records
    assert not isinstance(records[0], syntage.Invoice)


async def test_a_resource_a_job_does_not_bring_is_refused(world: World) -> None:
    """The words that would do are named, and nothing is sent."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    await handle

    with pytest.raises(TaskError, match="line-items") as refused:
        handle.results("nonsense")

    assert "resource" == refused.value.field


async def test_an_export_is_a_job_with_a_file(world: World, tmp_path: Path) -> None:
    """It is fired and awaited as any other; its file is saved whole."""
    session = await world.open()
    await (await session.fire(world.extraction()))
    handle = await session.fire(syntage.Export(f"{world.syntage.entities[0]}/invoices", "csv"))
    job = await handle

    size = await session.download(syntage.ExportFile(job.remote_id)).save(tmp_path / "invoices.csv")

    assert Status.FINISHED == job.status
    assert [("invoices.csv", size)] == held(tmp_path)
    assert size > 0
    with pytest.raises(UnsupportedError, match="ExportFile"):
        handle.results()


async def test_an_export_is_settled_by_polling_alone(world: World) -> None:
    """No webhook need come, here neither."""
    session = await world.open(webhooks=False)

    job = await (await session.fire(syntage.Export(f"{world.syntage.entities[0]}/invoices", "json")))

    assert (Status.FINISHED, Way.POLL) == (job.status, job.settled_by)


# Belvo's jobs


async def test_a_refresh_brings_several_resources(world: World) -> None:
    """It ends when each has reported and ten minutes stayed quiet; that is an inference, and each list is readable."""
    link = world.belvo.links[0]
    session = await world.open()
    handle = await session.fire(belvo.Refresh(link, ["INVOICES", "TAX_STATUS"]))

    job = await handle

    assert (Status.FINISHED, Way.INFERENCE, False) == (job.status, job.settled_by, job.partial)
    assert {"INVOICES", "TAX_STATUS"} == {report.resource for report in job.evidence.reports}
    assert await handle.results("TAX_STATUS", type=belvo.TaxStatus).to_list()
    assert {belvo.Invoice} == {type(each) for each in await handle.results("INVOICES").to_list()}
    with pytest.raises(TaskError, match="INVOICES"):
        handle.results()


async def test_a_refresh_that_says_nothing_of_a_resource_stays_open(world: World) -> None:
    """Nothing is inferred of what was never reported."""
    world.belvo.next_job(resource="REFRESH", unreported=("TAX_STATUS",))
    session = await world.open()
    handle = await session.fire(belvo.Refresh(world.belvo.links[0], ["INVOICES", "TAX_STATUS"]))

    await asyncio.sleep(timedelta(minutes=55).total_seconds())

    assert (Status.RUNNING, ["INVOICES"]) == (
        handle.status,
        [report.resource for report in handle.job.evidence.reports],
    )


async def test_a_second_refresh_too_early_is_refused(world: World) -> None:
    """Belvo takes one in ten minutes."""
    somebody, session = await world.open(webhooks=False), await world.open(webhooks=False)
    await somebody.fire(belvo.Refresh(world.belvo.links[0], ["TAX_STATUS"]))

    handle = await session.fire(belvo.Refresh(world.belvo.links[0], ["TAX_STATUS"]))
    with pytest.raises(JobRejectedError) as refused:
        await handle

    assert ("link_refreshed", True) == (refused.value.code, handle.job.failure and handle.job.failure.retryable)


@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_link_is_deleted_by_a_job(world: World, webhooks: bool) -> None:
    """Its end is announced, or seen in that the link is no longer there."""
    session = await world.open(webhooks=webhooks)
    link = world.belvo.links[1]

    job = await (await session.fire(belvo.DeleteLink(link)))

    assert (Status.FINISHED, Way.WEBHOOK if webhooks else Way.POLL) == (job.status, job.settled_by)
    with pytest.raises(NotFoundError):
        await session.call(belvo.GetLink(link))


# Calls


async def test_a_link_is_created_and_changed(world: World) -> None:
    """Credentials go to the vendor and nowhere else: the canary plugin looks for them after this test."""
    session = await world.open()

    made = await session.call(
        belvo.CreateLink(institution="tatooine_mx_fiscal", username="PFIS010101XY3", password="abcd1234efgh")
    )
    single = await session.call(belvo.GetLink(made.id or ""))

    assert made.id == single.id
    assert made.id in ids(await session.list(belvo.Links()).to_list())


RETRIEVALS = {
    "invoices": (lambda link: belvo.RetrieveInvoices(link=link, date_from=FIRST, date_to=LAST), tuple),
    "statements": (lambda link: belvo.RetrieveFinancialStatements(link=link), tuple),
    "yearly": (lambda link: belvo.RetrieveYearlyTaxReturns(link=link, year_from=2023, year_to=2024), tuple),
    "monthly": (lambda link: belvo.RetrieveMonthlyTaxReturns(link=link, date_from=FIRST, date_to=LAST), tuple),
    "status": (lambda link: belvo.RetrieveTaxStatus(link=link), belvo.TaxStatus),
    "compliance": (lambda link: belvo.RetrieveTaxComplianceStatus(link=link), belvo.TaxComplianceStatus),
    "retentions": (
        lambda link: belvo.RetrieveTaxRetentions(link=link, date_from=FIRST, date_to=LAST, type="INFLOW"),
        tuple,
    ),
}
LISTS = {
    "invoices": lambda link: belvo.InvoiceList(link=link),
    "statements": lambda link: belvo.FinancialStatementList(link=link),
    "yearly": lambda link: belvo.TaxReturnList(link=link),
    "monthly": lambda link: belvo.TaxReturnList(link=link),
    "status": lambda link: belvo.TaxStatusList(link=link),
    "compliance": lambda link: belvo.TaxComplianceStatusList(link=link),
    "retentions": lambda link: belvo.TaxRetentionList(link=link),
}


@pytest.mark.parametrize("name", RETRIEVALS)
async def test_a_retrieval_that_wants_a_token_is_resumed(world: World, name: str) -> None:
    """The error holds what resuming takes; the call then gives what it would have given."""
    session = await world.open()
    make, kind = RETRIEVALS[name]
    call = make(world.belvo.links[0])
    world.belvo.next_answer("token_required", method="POST")
    with pytest.raises(TokenRequiredError) as wanted:
        await session.call(call)

    got = await session.call(belvo.Resume(call=call, session=wanted.value.session, token="48213"))

    assert isinstance(got, kind)
    assert got != ()
    assert 1 == len(world.belvo.jobs)


@pytest.mark.parametrize("name", RETRIEVALS)
async def test_each_long_retrieval_gives_typed_records(world: World, name: str) -> None:
    """One call, up to five minutes; what it brought is then on the list."""
    link = world.belvo.links[0]
    session = await world.open()
    make, kind = RETRIEVALS[name]

    got = await session.call(make(link))

    assert isinstance(got, kind)
    assert got != ()
    assert await session.list(LISTS[name](link)).to_list()


async def test_a_retrieval_that_may_have_arrived_is_not_repeated(world: World) -> None:
    """Six failed ones make a link invalid; whoever called decides."""
    session = await world.open()
    world.belvo.next_answer("lost_202", method="POST", path="/api/tax-status/")

    with pytest.raises(Exception, match="POST /api/tax-status/") as lost:
        await session.call(belvo.RetrieveTaxStatus(link=world.belvo.links[0]))

    assert lost.value.maybe_sent is True  # type: ignore[attr-defined]
    assert 1 == len(world.sent("POST", "/api/tax-status/"))


async def test_a_refused_call_is_the_vendors_error(world: World) -> None:
    """With its code, and no word of what was sent."""
    session = await world.open()

    with pytest.raises(VendorError) as refused:
        await session.call(
            belvo.CreateLink(institution="tatooine_mx_fiscal", username="PFIS010101XY4", password="wrongpass")
        )

    assert "login_error" == refused.value.code


@pytest.mark.parametrize(
    "make",
    [
        lambda text: belvo.CreateLink(institution="tatooine_mx_fiscal", username="PFIS010101XY3", password=text),
        lambda text: belvo.UpdateLink(link="a", institution="sat_mx_fiscal", username="PFIS010101000", password=text),
        lambda text: syntage.CreateCredential(syntage.Ciec(rfc="PEIC211118IS0", password=text)),
    ],
    ids=["CreateLink", "UpdateLink", "Ciec"],
)
def test_a_password_that_no_request_can_carry_is_refused(make: Any) -> None:
    """Encoding it later would fail with the whole of it in the error; the canary plugin looks for it."""
    with pytest.raises(TaskError, match="password must be text that UTF-8 can hold"):
        make("abcd1234\udc81efgh")


async def test_a_credential_is_created_and_becomes_valid(world: World) -> None:
    """A plain call: nothing of it is stored."""
    session = await world.open()

    made = await session.call(syntage.CreateCredential(syntage.Ciec(rfc="PEIC211118IS0", password="zq7wk3vx9t")))
    await asyncio.sleep(600)
    seen = await session.call(syntage.GetCredential(made.id or ""))

    assert "valid" == seen.status
    assert made.id in ids(await session.list(syntage.Credentials()).to_list())
    assert [] == [job async for job in session.open_jobs()]


# Files


@pytest.fixture
async def invoice(world: World) -> syntage.Invoice:
    """An invoice whose XML is held, in a session's world."""
    session = await world.open()
    handle = await session.fire(world.extraction(options=syntage.InvoiceOptions(period=PERIOD, xml=True, pdf=True)))
    await handle
    return next(each for each in await handle.results().to_list() if each.xml and each.pdf)


@pytest.mark.parametrize(("form", "begins"), [("xml", b"<"), ("pdf", b"%PDF"), ("json", b"{")])
async def test_a_cfdi_in_each_form(world: World, invoice: syntage.Invoice, form: Any, begins: bytes) -> None:
    """The bytes as the vendor holds them."""
    session = await world.open(webhooks=False)

    body = await session.download(syntage.Cfdi(invoice.id or "", form)).read()

    assert body.lstrip(b"\xef\xbb\xbf \n").startswith(begins)


async def test_a_file_is_read_from_its_storage_without_the_key(world: World) -> None:
    """The storage refuses whoever shows a key of Syntage's; the length is the one its description tells."""
    session = await world.open()
    handle = await session.fire(world.extraction(extractor="tax_status"))
    await handle
    (status, *_) = await handle.results(type=syntage.TaxStatus).to_list()
    assert status.file is not None
    described = await session.call(syntage.GetFile(status.file.id or ""))

    chunks = [chunk async for chunk in session.download(syntage.FileDownload(status.file.id or ""))]

    assert described.size == len(b"".join(chunks)) > 0


async def test_a_file_is_saved_whole_or_not_at_all(world: World, tmp_path: Path, invoice: syntage.Invoice) -> None:
    """Nothing that broke off stays on the disk under the file's name, or any other."""
    session = await world.open(webhooks=False)
    file = session.download(syntage.Cfdi(invoice.id or ""))
    world.syntage.next_answer("cut_body", method="GET", path="/invoices/*")

    with pytest.raises(Exception, match=r"GET /invoices/\{id\}/cfdi"):
        await file.save(tmp_path / "one.xml")
    broken = held(tmp_path)
    size = await file.save(tmp_path / "one.xml")

    assert ([], [("one.xml", size)]) == (broken, held(tmp_path))


async def test_a_file_longer_than_the_limit_is_not_kept(world: World, invoice: syntage.Invoice) -> None:
    """`read` holds the whole file; what is longer belongs on a disk."""
    session = await world.open(webhooks=False)

    with pytest.raises(PayloadError, match="more than 10 bytes"):
        await session.download(syntage.Cfdi(invoice.id or "")).read(limit_bytes=10)


async def test_a_file_that_is_not_held_is_not_found(world: World) -> None:
    """An error answer is an error, not the file."""
    session = await world.open()

    with pytest.raises(NotFoundError):
        await session.download(syntage.Cfdi("00000000-0000-4000-8000-000000000000")).read()


async def test_two_savings_to_one_path_do_not_mix(world: World, tmp_path: Path, invoice: syntage.Invoice) -> None:
    """Each grows under a name of its own; the last to be complete stays."""
    session = await world.open(webhooks=False)
    ids = [world.syntage.add_file(size, filename=f"{size}.bin") for size in (300_000, 200_000)]

    sizes = await asyncio.gather(*(session.download(syntage.FileDownload(each)).save(tmp_path / "x") for each in ids))

    assert [300_000, 200_000] == sizes
    assert held(tmp_path) in ([("x", 300_000)], [("x", 200_000)])


async def test_a_link_into_the_storage_that_ran_out_is_asked_for_anew(world: World, tmp_path: Path) -> None:
    """They live for minutes; a second refusal is the storage's, and no word about the key."""
    session = await world.open(webhooks=False)
    file = session.download(syntage.FileDownload(world.syntage.add_file(1000)))

    world.syntage.next_download("expired")
    once = await file.save(tmp_path / "once")
    world.syntage.next_download("expired")
    world.syntage.next_download("expired")
    with pytest.raises(VendorError, match="the storage refused the vendor's own link"):
        await file.save(tmp_path / "twice")

    assert [("once", once)] == held(tmp_path)


async def test_a_saving_that_is_cancelled_leaves_nothing(world: World, tmp_path: Path) -> None:
    """At whatever step: neither a part of the file nor an open handle (a warning, and so a failure)."""
    session = await world.open(webhooks=False)
    file = session.download(syntage.FileDownload(world.syntage.add_file(200_000)))

    for steps in range(60):
        saving = asyncio.create_task(file.save(tmp_path / "x"))
        for _ in range(steps):
            await asyncio.sleep(0)
        saving.cancel()
        await asyncio.wait([saving])
        assert held(tmp_path) in ([], [("x", 200_000)])
    gc.collect()


async def test_a_file_that_cannot_be_written_is_not_asked_for(world: World, tmp_path: Path) -> None:
    """A wrong path is told before a byte is fetched."""
    session = await world.open(webhooks=False)
    file = session.download(syntage.FileDownload(world.syntage.add_file(1000)))

    with pytest.raises(IsADirectoryError, match="name the file"):
        await file.save(tmp_path)
    with pytest.raises(FileNotFoundError):
        await file.save(tmp_path / "missing" / "x")

    assert [] == world.sent("GET", "/files/")


async def test_a_call_the_session_closes_on_may_have_been_carried_out(world: World) -> None:
    """A call has no job to attach to: its error says what is known."""
    session = await world.open(webhooks=False)
    world.belvo.next_answer("slow", method="POST", path="/api/links/")
    access = belvo.CreateLink(institution="tatooine_mx_fiscal", username="PFIS010101XY3", password="abcd1234efgh")
    calling = asyncio.create_task(session.call(access))
    await asyncio.sleep(1)

    await session.close()

    with pytest.raises(SessionClosedError, match="may have been carried out"):
        await calling


@pytest.mark.parametrize(
    ("door", "given", "told"),
    [
        ("list", belvo.Invoices("a", FIRST, LAST), "Invoices goes to `session.fire`"),
        ("list", syntage.GetFile("00000000-0000-4000-8000-000000000000"), "GetFile goes to `session.call`"),
        ("call", belvo.Links(), "Links goes to `session.list`"),
        ("call", belvo.CreateLink, "`call` is the class CreateLink: make one of it"),
        ("download", None, "no vendor of this session takes NoneType; it has belvo, syntage"),
    ],
)
async def test_what_goes_elsewhere_is_told_where(world: World, door: str, given: Any, told: str) -> None:
    """Four verbs, and each names the right one."""
    session = await world.open(webhooks=False)

    async def try_it() -> None:
        await getattr(session, door)(given)

    with pytest.raises(TaskError) as refused:
        await try_it()

    assert told == str(refused.value)


@pytest.mark.parametrize(
    ("door", "given"), [("list", syntage.Entities()), ("call", syntage.GetFile("00000000-0000-4000-8000-000000000000"))]
)
async def test_what_no_vendor_takes_is_told_with_those_there_are(world: World, door: str, given: Any) -> None:
    """Whoever forgot the keys of a vendor sees that the session does not have it."""
    session = await world.open(world.belvo_vendor(), webhooks=False)

    with pytest.raises(TaskError) as refused:
        await getattr(session, door)(given)

    assert f"no vendor of this session takes {type(given).__name__}; it has belvo" == str(refused.value)


async def test_wrong_arguments_of_reading_are_told(world: World) -> None:
    """No exception of Python's own for a slip of the caller's."""
    session = await world.open(webhooks=False)
    query = belvo.InvoiceList(link=world.belvo.links[0])

    for mistake, field in (({"resume": 3}, "resume"), ({"type": "x"}, "type")):
        with pytest.raises(TaskError) as refused:
            session.list(query, **mistake)  # type: ignore[call-overload]
        assert field == refused.value.field
    with pytest.raises(TaskError, match="`limit_bytes`"):
        await session.download(syntage.FileDownload(world.syntage.add_file(10))).read(limit_bytes="x")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="`job_id`"):
        await session.attach(None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="`connections`"):
        Session(world.belvo_vendor(), connections=0)


async def test_files_are_for_the_vendor_that_has_them(world: World) -> None:
    """What no vendor of the session knows is refused at once."""
    session = await world.open(world.belvo_vendor())

    with pytest.raises(TaskError, match="takes FileDownload"):
        session.download(syntage.FileDownload("00000000-0000-4000-8000-000000000000"))
    with pytest.raises(TaskError, match="takes GetFile"):
        await session.call(syntage.GetFile("00000000-0000-4000-8000-000000000000"))


def test_what_vendors_take_is_told_apart() -> None:
    """Each type of the catalogues is taken by exactly one of the three doors."""
    vendor = Belvo("id-0123456789", "password-0123456789")

    assert all(issubclass(each, Call) for each in vendor.calls)
    assert all(issubclass(each, Download) for each in vendor.downloads)
    assert not set(vendor.calls) & set(vendor.queries)
