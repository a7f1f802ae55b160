"""Bodies: bounded inflate, cuts, caps and redirects, on a raw server."""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from belvo_async._http import Http, Send, ask
from belvo_async.abc import Answer
from belvo_async.errors import PayloadError, TransportError
from tests.http.origin import CANARY, Cut, Origin, Step, credentials, read, reply, submission
from tests.virtual_time import VirtualClock

MIB = 1024 * 1024


async def sizes(send: Send) -> list[int]:
    async with send(read()) as response:
        return [len(chunk) async for chunk in response.chunks()]


def gzipped(body: bytes, status: int = 200) -> bytes:
    return reply(status, body, content_encoding="gzip")


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"ab" * 50_000),
        gzip.compress(b"ab" * 20_000) + gzip.compress(b"ab" * 30_000),
        gzip.compress(b"ab" * 50_000) + b"\0" * 512,
        gzip.compress(b"ab" * 50_000, 0),
    ],
    ids=["one member", "two members", "padded", "stored"],
)
async def test_gzip_is_inflated(http: Http, packed: bytes) -> None:
    """Whatever the server's way to compress, the body is what it was."""
    async with Origin([(gzipped(packed),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), read())

        assert b"ab" * 50_000 == answer.body


async def test_gzip_in_drops_is_inflated(http: Http) -> None:
    """Where the network cuts the stream does not matter."""
    packed = gzipped(gzip.compress(b'{"a": [1, 2, 3]}'))
    drops: list[Step] = [step for index in range(len(packed)) for step in (packed[index : index + 1], 0.01)]
    async with Origin([drops]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), read())

        assert b'{"a": [1, 2, 3]}' == answer.body


async def test_bomb_is_refused_at_the_cap(http: Http) -> None:
    """A small gzip that holds 300 MB costs neither that memory nor the process."""
    async with Origin([(gzipped(gzip.compress(b"0" * 30_000_000, 1) * 10),)]) as origin:
        tracemalloc.start()
        with pytest.raises(PayloadError, match="a body of more than 67108864 bytes"):
            await sizes(http.send_to(origin.url, credentials))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < 20 * MIB


async def test_a_streamed_bomb_is_refused_by_its_ratio(http: Http) -> None:
    """A body that is read as it comes may be long, but not be made of next to nothing."""
    async with Origin([(gzipped(gzip.compress(b"0" * 30_000_000) * 10),)]) as origin:
        with pytest.raises(PayloadError, match="inflates beyond all measure"):
            await sizes(http.send_to(origin.url, credentials, bulk=True))


@pytest.mark.proof
async def test_a_streamed_body_may_be_longer_than_one_that_is_kept(http: Http) -> None:
    """Records are decoded as they come: what bounds a page is its rows, not its length."""
    packed = gzip.compress(random.Random(1).randbytes(1 * MIB) * 80, 0)
    async with Origin([(gzipped(packed),)]) as origin:
        assert 80 * MIB == sum(await sizes(http.send_to(origin.url, credentials, bulk=True)))


async def test_other_tasks_run_while_a_body_is_inflated(http: Http) -> None:
    """Each slice gives the loop back: one page does not stop every other job."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with Origin([(gzipped(gzip.compress(b"0" * 30 * MIB)),)]) as origin:
        counting = asyncio.create_task(count())
        async with http.send_to(origin.url, credentials)(read()) as response:
            turns = 0
            slices = [len(chunk) async for chunk in response.chunks()]
        counting.cancel()

    assert max(slices) <= 128 * 1024
    assert turns >= len(slices) - 5


async def test_many_empty_members_are_bounded(clock: VirtualClock) -> None:
    """A stream that inflates to nothing is bounded by what was received."""
    many = gzipped(gzip.compress(b"") * 1000)
    async with Origin([(many,)]) as origin, Http(clock=clock, body_bytes=10_000) as http:
        with pytest.raises(PayloadError, match="more than 10000 bytes"):
            await sizes(http.send_to(origin.url, credentials))


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
async def test_encoding_that_was_not_asked_for_is_refused(http: Http, encoding: str) -> None:
    """We ask for gzip alone; anything else would be handed on as if it were JSON."""
    async with Origin([(reply(content_encoding=encoding),)]) as origin:
        with pytest.raises(PayloadError, match="content encoding"):
            await ask(http.send_to(origin.url, credentials), read())


async def test_body_that_is_not_gzip_is_refused(http: Http) -> None:
    """A wrong header is the vendor's fault, not the network's."""
    async with Origin([(gzipped(b"{}"),)]) as origin:
        with pytest.raises(PayloadError, match="not the gzip"):
            await ask(http.send_to(origin.url, credentials), read())


PACKED = gzip.compress(bytes(range(256)) * 400)
CUTS: dict[str, Sequence[Step]] = {
    "content-length": (reply(body=b"x" * 100)[:-50], Cut.CLOSE),
    "content-length, reset": (reply(body=b"x" * 100)[:-50], 0.1, Cut.RESET),
    "chunked": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", Cut.CLOSE),
    "gzip within a length": (gzipped(PACKED[:-20]),),
    "gzip without a length": (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + PACKED[:-20], Cut.CLOSE),
    "silence": (reply(body=b"x" * 100)[:-50], 3600.0),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
async def test_cut_body_is_never_a_whole_one(http: Http, cut: Sequence[Step]) -> None:
    """A body that ends early raises; what was accepted may have been."""
    async with Origin([cut]) as origin:
        with pytest.raises(TransportError) as failure:
            await ask(http.send_to(origin.url, credentials), submission())

        assert failure.value.maybe_sent
        assert failure.value.__context__ is None
        assert 1 == len(origin.seen)


async def test_chunks_before_a_cut_are_delivered(http: Http) -> None:
    """What arrived is used; the error comes after it."""
    async with Origin([CUTS["chunked"]]) as origin, http.send_to(origin.url, credentials)(read()) as response:
        chunks = response.chunks()

        assert b"hello" == await anext(chunks)
        with pytest.raises(TransportError, match=r"^GET /things: the answer was cut short$"):
            await anext(chunks)


@pytest.mark.parametrize(
    "script",
    [
        (reply(422, b"x" * 100)[:-50], Cut.CLOSE),
        (reply(422, b"x" * 2 * MIB),),
        (reply(422, b"{}", content_encoding="br"),),
        (reply(422, b"x" * 100)[:-50], 3600.0),
    ],
    ids=["cut", "too large", "unreadable encoding", "silent"],
)
async def test_error_answer_counts_for_its_status(http: Http, script: Sequence[Step]) -> None:
    """A refusal is a refusal, even when its explanation is lost: better than not knowing."""
    async with Origin([script]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), submission())

        assert 422 == answer.status


async def test_small_answer_is_capped(http: Http) -> None:
    """An answer about a job is small; a large one is not read into memory."""
    async with Origin([(reply(body=b"x" * (MIB + 1)),)]) as origin:
        with pytest.raises(PayloadError, match="an answer of more than 1048576 bytes"):
            await ask(http.send_to(origin.url, credentials), read())


async def test_a_submission_answered_with_all_the_data_is_read(http: Http) -> None:
    """A vendor may answer a submission with the data instead of an id; the job is over then, not uncertain."""
    async with Origin([(reply(201, body=b"x" * (MIB + 1)),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), submission())

        assert (201, MIB + 1) == (answer.status, len(answer.body))


async def test_an_answer_that_is_said_to_be_large_is_read(http: Http) -> None:
    """Sums over years of days are no pages of records, and may be longer than an answer about a job."""
    async with Origin([(reply(body=b"x" * (MIB + 1)),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), replace(read(), is_large=True))

        assert MIB + 1 == len(answer.body)


async def test_small_answer_has_a_minute_in_all(http: Http) -> None:
    """A byte every four seconds is not an answer."""
    drip: list[Step] = [reply(body=b"x" * 100)[:-100], *[step for _ in range(100) for step in (4.0, b"x")]]
    async with Origin([drip]) as origin:
        began = asyncio.get_running_loop().time()
        with pytest.raises(TransportError, match="timed out after 60 s"):
            await ask(http.send_to(origin.url, credentials), read())

        assert 60 == pytest.approx(asyncio.get_running_loop().time() - began, abs=1)


async def test_stream_lasts_while_data_flows(http: Http) -> None:
    """A page of results may take longer than a minute; only silence ends it."""
    drip: list[Step] = [reply(body=b"x" * 20)[:-20], *[step for _ in range(20) for step in (20.0, b"x")]]
    async with Origin([drip]) as origin:
        assert 20 == sum(await sizes(http.send_to(origin.url, credentials)))


async def test_empty_body_needs_no_gzip_end(http: Http) -> None:
    """204 with Content-Encoding holds nothing to inflate."""
    async with Origin([(b"HTTP/1.1 204 X\r\ncontent-encoding: gzip\r\n\r\n",)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), read())

        assert (204, b"") == (answer.status, answer.body)


async def test_answer_shows_neither_body_nor_header_values(http: Http) -> None:
    """Bodies are tax data: reprs hold sizes and names."""
    script = (reply(body=CANARY.encode(), x_secret=CANARY),)
    async with Origin([script]) as origin, http.send_to(origin.url, credentials)(read()) as response:
        answer = await response.answer()

        assert CANARY not in f"{response!r} {answer!r} {answer.headers!r}"


# Redirects


def moved(place: str, status: int = 302) -> bytes:
    return reply(status, location=place)


async def follow(http: Http, origin: Origin) -> Answer:
    return await ask(http.send_to(origin.url, credentials), read(follow=True, headers=(("X-Ours", CANARY),)))


async def test_a_redirect_is_followed_bare(http: Http) -> None:
    """A signed link to a file store gets neither credentials nor our headers, and keeps its encoding."""
    async with Origin([(reply(body=b"file"),)]) as files, Origin([(moved(files.url + "/f?sig=a%2Fb%3D+c"),)]) as origin:
        answer = await follow(http, origin)

        [seen] = files.seen
        assert b"file" == answer.body
        assert "GET /f?sig=a%2Fb%3D+c HTTP/1.1" == seen.line
        assert CANARY not in str(seen)


async def test_redirect_on_the_same_origin_is_bare_too(http: Http) -> None:
    """A relative place is joined; where it leads does not change what it gets."""
    async with Origin([(moved("/file"),), (reply(body=b"file"),)]) as origin:
        answer = await follow(http, origin)

        assert b"file" == answer.body
        assert CANARY not in str(origin.seen[1])


async def test_redirects_between_storages_are_followed_bare(http: Http) -> None:
    """A link leads to a bucket, that to its region: five steps are followed, and none is told who we are."""
    places = [(moved(f"/{number}", status),) for number, status in enumerate((302, 307, 301, 308, 303))]
    async with Origin([*places, (reply(body=b"file"),)]) as origin:
        answer = await follow(http, origin)

        assert (200, b"file") == (answer.status, answer.body)
        assert [False] * 5 == [CANARY in str(seen) for seen in origin.seen[1:]]


async def test_the_sixth_redirect_is_handed_out(http: Http) -> None:
    """More is a loop or worse."""
    async with Origin([(moved("/again"),)]) as origin:
        answer = await follow(http, origin)

        assert (302, 6) == (answer.status, len(origin.seen))


@pytest.mark.parametrize(
    "place", ["", "ftp://x/y", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://[", "/a b", "javascript:1"]
)
async def test_place_that_is_not_followed_is_handed_out(http: Http, place: str) -> None:
    """Only plain http(s) addresses are followed."""
    async with Origin([(moved(place),)]) as origin:
        answer = await follow(http, origin)

        assert (302, 1) == (answer.status, len(origin.seen))


async def test_submission_is_never_redirected(http: Http) -> None:
    """A POST sent to another place might run there."""
    async with Origin([(moved("/other", 307),)]) as origin:
        answer = await ask(http.send_to(origin.url, credentials), submission(follow=True))

        assert (307, 1) == (answer.status, len(origin.seen))
