"""`belvo-async demo`: both vendors, webhooks and faults, and an honest verdict."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from belvo_async._cli.demo.plan import LINKS, PlannedJob
from belvo_async._cli.demo.progress import Track
from belvo_async._cli.demo.records import held_by_vendor, read
from belvo_async._cli.demo.rich_screen import RichScreen
from belvo_async._cli.demo.screen import PlainScreen
from belvo_async.abc import Receipt
from belvo_async.planning import read_certificate
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.sinks import Recount, recount
from tests.cli.conftest import Play, Shown

RFC = re.compile(r"\b[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}\b")


def test_everything_received_equals_what_the_vendors_hold(played: Shown) -> None:
    """Whatever the faults: exit code 0, within the seconds the description promises."""
    assert_equal(played)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
async def test_everything_received_equals_under_any_seed(play: Play, seed: int) -> None:
    """The same with the faults of another seed."""
    assert_equal(await play(seed=seed))


def assert_equal(shown: Shown) -> None:
    assert 0 == shown.code, shown.text
    assert "NOT" not in shown.text
    # The rest of ten to fifteen is what this machine takes to compute.
    assert shown.seconds < 14


def test_the_intended_ends_are_shown(played: Shown) -> None:
    """One job failed, one was stopped, two were uncertain for a while, one was answered at once."""
    lines = played.text.splitlines()

    table = [line for line in lines if re.match(r"[0-9a-f]{6} ", line)]

    assert 20 == len(table)
    assert 1 == sum(" failed " in line for line in table)
    assert 1 == sum(" stopped " in line for line in table)
    assert 2 == sum("finished*" in line for line in table)
    assert 1 == sum(" answer " in line for line in table)
    # One that is found at once is told only as found.
    told = [re.search(r"(?:link|entity) \d .*\d{4}", line) for line in lines if " uncertain" in line and line[0] == " "]
    assert 2 == len({found.group() for found in told if found})


def test_lines_come_in_the_order_of_time(played: Shown) -> None:
    """Each with the seconds since the demo began, those of the plan among them."""
    times = [float(found) for found in re.findall(r"^ *(\d+\.\d)s  (?:belvo|syntage) ", played.text, re.MULTILINE)]

    assert 26 <= len(times)
    assert sorted(times) == times


def test_it_ends_with_estimate_certificate_and_page(played: Shown) -> None:
    """Two of three years are answered by its jobs; the rest is paid, exported, proven, and shown."""
    end = played.text.split("A plan: ")[1]

    assert "18 requests: 12 answered by the jobs above, 6 to send" in end
    assert "9.00 MXN by a made-up price list" in end
    assert "6,570 of 6,570 days proven; 1,440 rows in 18 parts recounted" in end
    assert "3 whole, 0 in progress, 0 needing a person" in end
    held = read_certificate((played.keep / "certificate.json").read_bytes())
    assert held.is_whole
    assert recount(held.receipts, [played.keep / "export"]).fault is None
    assert "<title>" in (played.keep / "page.html").read_text(encoding="utf-8")


@pytest.mark.proof
async def test_an_export_that_does_not_fit_is_said_and_exits_1(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row is changed between extraction and recount."""

    def harmed(receipts: Sequence[Receipt], places: Sequence[Path]) -> Recount:
        part = next(places[0].rglob("subject=*/*.ndjson"))
        part.write_bytes(part.read_bytes().replace(b"0", b"1", 1))
        return recount(receipts, places)

    monkeypatch.setattr("belvo_async._cli.demo.holding.recount", harmed)

    shown = await play()

    assert 1 == shown.code
    assert "NOT FITTING" in shown.text
    assert "NOT AS INTENDED: the exported files do not fit their certificate: " in shown.text


def test_the_table_says_why_a_job_failed(played: Shown) -> None:
    """Below it, by the job's id as the table shows it: the vendor's code and what it means."""
    lines = played.text.splitlines()

    failed = next(line[:6] for line in lines if re.match(r"[0-9a-f]{6} .* failed ", line))
    assert [] != [line for line in lines if line.startswith(f"  {failed} failed: institution_down: the institution is")]


@pytest.mark.proof
async def test_no_count_is_shown_before_it_is_known(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that has finished and whose records are still to be read has none yet, not none."""
    shown: list[tuple[str, ...]] = []

    class Watched(PlainScreen):
        @contextmanager
        def live(self, tracks: Sequence[Track]) -> Generator[Callable[[], None], None, None]:
            yield lambda: shown.extend(track.cells() for track in tracks if track.seconds is None)

    async def read_slowly(*arguments: Any) -> Any:
        await asyncio.sleep(1)
        return await read(*arguments)

    # On this machine, records take no time at all.
    monkeypatch.setattr("belvo_async._cli.demo.run.read", read_slowly)
    await play(screen=Watched(io.StringIO()))

    reading = [cells for cells in shown if cells[3].startswith("finished")]
    assert reading
    assert [] == [cells for cells in reading if cells[6] == "0"]


def test_everything_but_paths_fits_80_columns(played: Shown) -> None:
    """Nothing wraps on a terminal of usual width."""
    lines = [line for line in played.text.splitlines() if "/" not in line]

    assert [] == [line for line in lines if len(line) > 80]


def test_one_line_for_each_record(played: Shown) -> None:
    """The file holds each record once, under its job's id, as many as the table counts."""
    lines = [msgspec.json.decode(line) for line in played.out.read_bytes().splitlines()]

    counts = Counter(line["job"][:6] for line in lines)
    for job, count in counts.items():
        assert re.search(rf"^{job} .*s +{count} ", played.text, re.MULTILINE)
    assert len(lines) == len({(line["job"], line["record"]["id"]) for line in lines})
    assert f"16 jobs {len(lines):6,} records" in played.text


@pytest.mark.proof
@pytest.mark.parametrize(
    "harm",
    ["one missing", *(pytest.param(harm, marks=pytest.mark.proof) for harm in ("one more", "another total"))],
)
async def test_unequal_data_is_said_and_exits_1(play: Play, harm: str) -> None:
    """One record less, one more, or a total that is off by a cent in one job of sixteen."""

    def harmed(planned: PlannedJob) -> Mapping[str, Decimal]:
        held = dict(held_by_vendor(planned))
        if planned.label == "entity 1 invoice 2022":
            first = next(iter(held))
            change = {"one missing": {}, "one more": {"x": Decimal(0)}, "another total": {first: held[first]}}[harm]
            if harm == "one missing":
                del held[first]
            held.update({key: value + Decimal("0.01") for key, value in change.items()})
        return held

    shown = await play(held=harmed)

    assert 1 == shown.code
    complaint = "NOT AS INTENDED: syntage entity 1 invoice 2022: the records received are not the records held."
    assert complaint in shown.text
    assert "NOT EQUAL" in shown.text
    assert 1 == shown.text.count("NOT AS INTENDED")


def test_no_secret_and_no_taxpayer_is_shown(played: Shown) -> None:
    """Neither the screen nor the log holds a key of the simulators or the RFC of anybody."""
    belvo, syntage = BelvoSimulator(seed=played.seed, links=LINKS + 1), SyntageSimulator(seed=played.seed)
    secrets = [belvo.secret_id, belvo.secret_password, belvo.webhook_authorization.split()[1]]
    secrets += [syntage.api_key, syntage.signing_secret]
    owners = [belvo.rfc_of(link) for link in belvo.links] + [syntage.rfc_of(entity) for entity in syntage.entities]

    told = played.text + played.log.read_text()

    assert not [secret for secret in secrets + owners if secret in told]
    assert not RFC.search(told)


@pytest.mark.proof
async def test_rich_screen_shows_the_same_end(play: Play) -> None:
    """On a terminal: bars while it runs, and the same table at the end."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=26, highlight=False)

    shown = await play(screen=RichScreen(console))

    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert 0 == shown.code
    assert "14 of 14 jobs" in plain
    assert "…" not in plain
    assert "equal: ids, counts, sums" in plain


@pytest.mark.proof
async def test_a_low_terminal_shows_what_fits(play: Play) -> None:
    """With fewer lines than jobs, the live view keeps to the terminal: each redraw goes up by less than its height."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=12, highlight=False)

    shown = await play(screen=RichScreen(console))

    redraws = re.findall(r"(?:\x1b\[1A\x1b\[2K)+", stream.getvalue())
    assert 0 == shown.code
    assert redraws
    assert 12 > max(redraw.count("\x1b[1A") for redraw in redraws)
