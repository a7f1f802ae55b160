"""What a request looks like when it leaves, and how often it leaves: decided from statuses, with aioresponses."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from belvo_async._http import Http, ask
from belvo_async.abc import Request, Retry
from belvo_async.errors import ConfigurationError, PayloadError
from tests.aiohttp_shim import aioresponses
from tests.http.origin import Origin, credentials, read, reply, submission

ORIGIN = "https://api.example.com"


@pytest.fixture
def web() -> Any:
    with aioresponses() as web:
        yield web


def calls(web: aioresponses) -> list[tuple[str, URL, dict[str, Any]]]:
    return [(method, url, call.kwargs) for (method, url), each in web.requests.items() for call in each]


async def test_request_leaves_as_the_dialect_wrote_it(http: Http, web: aioresponses) -> None:
    """Method, path, query, headers and body are the request's, with the credentials beside them."""
    web.post(f"{ORIGIN}/jobs?a=1&a=2", status=202, payload={"id": "1"})
    request = submission("/jobs?a=1&a=2", headers=(("X-Mode", "async"),), body=b'{"a":1}')

    answer = await ask(http.send_to(ORIGIN, credentials), request)

    [(method, url, options)] = calls(web)
    assert (202, b'{"id": "1"}') == (answer.status, answer.body)
    assert ("POST", f"{ORIGIN}/jobs?a=1&a=2") == (method, str(url))
    assert b'{"a":1}' == options["data"]
    assert "async" == options["headers"]["X-Mode"]
    assert credentials()["Authorization"] == options["headers"]["Authorization"]


async def test_request_on_the_wire(http: Http) -> None:
    """Encoding is kept word for word (aioresponses would mend it); no type is guessed and no machine named."""
    async with Origin([(reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), submission("/jobs?b=%2Fx&c=%e1+1"))

        [seen] = origin.seen
        assert "POST /jobs?b=%2Fx&c=%e1+1 HTTP/1.1" == seen.line
        assert {"host", "accept", "accept-encoding", "user-agent", "authorization", "content-length", "connection"} == (
            set(seen.headers)
        )
        assert "gzip" == seen.headers["accept-encoding"]
        assert seen.headers["user-agent"].startswith("belvo-async")


async def test_cookies_are_not_kept(http: Http) -> None:
    """A session cookie would tie one taxpayer's calls to another's."""
    async with Origin([(reply(set_cookie="sid=1; Path=/"),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await ask(send, read())

        assert [False, False] == ["cookie" in each.headers for each in origin.seen]


async def test_proxy_of_the_environment_is_not_used(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials go to the vendor, not to whom HTTP_PROXY names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Origin([(reply(),)]) as origin:
        assert 200 == (await ask(http.send_to(origin.url, credentials), read())).status


async def test_large_answer_is_read_in_slices(http: Http, web: aioresponses) -> None:
    """A body over the stream reader's buffer comes whole, in pieces that do not hold the loop."""
    web.get(f"{ORIGIN}/things", body=b"x" * 500_000)

    async with http.send_to(ORIGIN, credentials)(read()) as response:
        sizes = [len(chunk) async for chunk in response.chunks()]

    assert 500_000 == sum(sizes)
    assert max(sizes) <= 128 * 1024


async def test_credentials_are_asked_for_each_request(http: Http, web: aioresponses) -> None:
    """A rotated key is used at once: no credential is kept between two requests."""
    web.get(f"{ORIGIN}/things", repeat=True, payload={})
    keys = iter(["first", "second"])
    send = http.send_to(ORIGIN, lambda: {"X-Api-Key": next(keys)})

    await ask(send, read())
    await ask(send, read())

    assert ["first", "second"] == [options["headers"]["X-Api-Key"] for _, _, options in calls(web)]


@pytest.mark.parametrize(
    ("retry", "status", "content_type", "sent"),
    [
        (Retry.SAFE, 200, "application/json", 1),
        (Retry.SAFE, 404, "application/json", 1),
        (Retry.SAFE, 429, "application/json", 5),
        (Retry.SAFE, 500, "application/json", 5),
        (Retry.SAFE, 502, "text/html", 5),
        (Retry.SAFE, 503, "application/json", 5),
        (Retry.SAFE, 504, "text/html", 5),
        (Retry.SAFE, 403, "application/json", 1),
        (Retry.SAFE, 403, "text/html; charset=UTF-8", 5),
        (Retry.SUBMIT, 202, "application/json", 1),
        (Retry.SUBMIT, 429, "application/json", 5),
        (Retry.SUBMIT, 403, "text/html", 5),
        (Retry.SUBMIT, 403, "application/json", 1),
        (Retry.SUBMIT, 500, "application/json", 1),
        (Retry.SUBMIT, 502, "text/html", 1),
        (Retry.SUBMIT, 503, "application/json", 1),
        (Retry.SUBMIT, 504, "text/html", 1),
        (Retry.NEVER, 429, "application/json", 1),
        (Retry.NEVER, 503, "application/json", 1),
        (Retry.NEVER, 403, "text/html", 1),
    ],
)
async def test_status_decides_how_often_a_request_is_sent(
    http: Http, web: aioresponses, retry: Retry, status: int, content_type: str, sent: int
) -> None:
    """A submission is repeated only when certainly not accepted; the last answer is handed out."""
    web.post(f"{ORIGIN}/jobs", status=status, content_type=content_type, repeat=True)

    answer = await ask(http.send_to(ORIGIN, credentials), submission(retry=retry))

    assert status == answer.status
    assert sent == len(calls(web))


async def test_success_after_failure_is_the_answer(http: Http, web: aioresponses) -> None:
    """Retrying ends with the first answer that needs none."""
    web.get(f"{ORIGIN}/things", status=503)
    web.get(f"{ORIGIN}/things", status=200, body=b"[1]")

    answer = await ask(http.send_to(ORIGIN, credentials), read())

    assert (200, b"[1]") == (answer.status, answer.body)


@pytest.mark.parametrize(
    "target",
    ["@evil.com/", ".evil.com/", ":81/", "", "x", "/a b", "/a\r\nX: y", "/\u00e9", "/a\tb", "https://evil.com/"],
)
async def test_target_that_would_leave_the_origin_is_refused(http: Http, web: aioresponses, target: str) -> None:
    """A target is a path below the origin: anything that could change host or request line sends nothing."""
    with pytest.raises(PayloadError):
        await ask(http.send_to(ORIGIN, credentials), read(target))

    assert [] == calls(web)


@pytest.mark.parametrize(
    "origin", ["api.example.com", "ftp://api.example.com", "https://", "https://user@x.com", "https://x.com/v1"]
)
async def test_origin_is_scheme_host_and_port(http: Http, origin: str) -> None:
    """A wrong origin is found when it is set, not at the first request."""
    with pytest.raises(ConfigurationError):
        http.send_to(origin, credentials)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_handed_out(http: Http, web: aioresponses, status: int) -> None:
    """Without `follow` a redirect is an answer like any other: what to think of it is the dialect's to say."""
    web.get(f"{ORIGIN}/things", status=status, headers={"Location": "https://evil.example/"})

    answer = await ask(http.send_to(ORIGIN, credentials), read())

    assert (status, 1) == (answer.status, len(calls(web)))


async def test_request_shows_no_target_or_headers() -> None:
    """Ids and filters name taxpayers: a request's repr is its name."""
    request = Request(method="GET", target="/things/AAA010101AAA", name="GET /things/{id}")

    assert "Request(GET /things/{id})" == repr(request)
