"""What Belvo's own clients, and others', send and expect: odd spellings, lost slashes, other names for one host."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import pytest
from belvo.client import Client
from belvo.exceptions import RequestError
from requests import HTTPError

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import BelvoClient, basic
from tests.virtual_time import hold_time_while

T = TypeVar("T")

YEARS = {"year_from": "2023", "year_to": "2024"}


async def post(client: BelvoClient, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Send a body with the first link, in the ordinary mode."""
    async with client.http.post(path, json={"link": client.belvo.links[0], **body}) as response:
        return response.status, await response.json(content_type=None)


# Paths without their last slash


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_lost_slash_is_redirected_as_django_does(client: BelvoClient, method: str) -> None:
    """301 whatever the method, with the query, to the path alone: whoever follows it stays on the host it came by."""
    async with client.http.request(method, "/api/invoices?page=2&fields=id,type", allow_redirects=False) as response:
        status, there = response.status, response.headers["Location"]

    assert (301, "/api/invoices/?page=2&fields=id,type") == (status, there)


async def test_a_redirected_post_arrives_without_its_body(client: BelvoClient) -> None:
    """So do most clients read a 301: the order becomes a look at the list, and nothing is ordered."""
    async with client.http.post("/api/invoices", json=client.body()) as response:
        body = await response.json()

    assert (200, 0) == (response.status, body["count"])
    assert {} == dict(client.belvo.jobs)


async def test_a_redirect_comes_before_the_credentials(client: BelvoClient) -> None:
    """Django answers it where the paths are read, in front of whoever asks for a key."""
    async with (
        aiohttp.ClientSession(client.belvo.url) as http,
        http.get(f"/api/links/{client.belvo.links[0]}", allow_redirects=False) as response,
    ):
        assert 301 == response.status


@pytest.mark.parametrize("path", ["/api/nothing", "/api/links/a/b", "/", "/api/nothing/"])
async def test_only_known_paths_are_redirected(client: BelvoClient, path: str) -> None:
    async with client.http.get(path, allow_redirects=False) as response:
        assert 404 == response.status


# Names of one host


@pytest.mark.parametrize("host", ["simulator:8801", "localhost:18801", "[::1]:8801", "belvo.example.com"])
async def test_links_to_further_pages_name_the_host_the_client_named(client: BelvoClient, host: str) -> None:
    """Behind the port map of a container the simulator's own address leads nowhere."""
    async with client.http.get("/api/links/?page_size=1&page=2", headers={"Host": host}) as response:
        body = await response.json()

    assert [host, host] == [urlsplit(body[name]).netloc for name in ("next", "previous")]


async def test_links_to_further_pages_keep_the_scheme_of_a_proxy(client: BelvoClient) -> None:
    """A proxy that speaks TLS says so, as Django's SECURE_PROXY_SSL_HEADER reads it."""
    async with client.http.get("/api/links/?page_size=1", headers={"X-Forwarded-Proto": "https"}) as response:
        body = await response.json()

    assert body["next"].startswith(client.belvo.url.replace("http:", "https:"))


@pytest.mark.parametrize("host", ["a b", "user@host", "host/path", "host:port", ""])
async def test_a_host_that_is_none_is_not_repeated(client: BelvoClient, host: str) -> None:
    async with client.http.get("/api/links/?page_size=1", headers={"Host": host}) as response:
        body = await response.json()

    assert body["next"].startswith(client.belvo.url)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
async def test_whatever_is_listened_on_the_address_told_leads_there(host: str) -> None:
    """0.0.0.0 is no address to connect to."""
    async with (
        BelvoSimulator(host=host) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
        http.get("/api/") as response,
    ):
        assert belvo.url.startswith("http://127.0.0.1:")
        assert 200 == response.status


# Odd spellings


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(YEARS, id="no type: yearly"),
        pytest.param({"year_from": 2023, "year_to": 2024, "type": "yearly"}, id="years as numbers"),
        pytest.param({"year_from": 2023, "year_to": "2024"}, id="both at once"),
    ],
)
async def test_tax_returns_are_asked_for_in_any_way_that_clients_do(client: BelvoClient, order: dict[str, Any]) -> None:
    """All bring what the documented order brings."""
    _, documented = await post(client, "/api/tax-returns/", {**YEARS, "type": "yearly"})

    status, rows = await post(client, "/api/tax-returns/", order)

    assert 201 == status
    assert [row["id"] for row in documented] == [row["id"] for row in rows] != []


@pytest.mark.parametrize("path", ["/api/invoices/", "/api/tax-retentions/"])
@pytest.mark.parametrize("word", ["inflow", "Inflow", "outflow"])
async def test_directions_may_be_written_in_small_letters(client: BelvoClient, path: str, word: str) -> None:
    """Belvo's Python client can write the direction of retentions in no other way; rows keep the documented word."""
    period = {"date_from": "2025-01-01", "date_to": "2025-12-31"}
    _, documented = await post(client, path, {**period, "type": word.upper()})

    status, rows = await post(client, path, {**period, "type": word})

    assert 201 == status
    assert [row["invoice_identification"] for row in documented] == [row["invoice_identification"] for row in rows]
    assert rows != []


async def test_lists_take_small_letters_too(client: BelvoClient) -> None:
    await post(client, "/api/invoices/", client.body(type=None))

    counts = [(await client.get("/api/invoices/", type=word))[1]["count"] for word in ("INFLOW", "inflow")]

    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("filter", "same"),
    [("total_amount__gte", ("1000", "1000.00")), ("total_amount__range", ("100,5000", "100.0,5000.0"))],
)
async def test_amounts_may_come_without_decimals(client: BelvoClient, filter: str, same: tuple[str, str]) -> None:
    """The pattern wants decimals, the document's own example of a range has none."""
    await post(client, "/api/invoices/", client.body())

    answers = [await client.get("/api/invoices/", **{filter: amount}) for amount in same]

    assert answers[0][0] == 200
    assert answers[0][1]["count"] == answers[1][1]["count"] > 0


# The widget's token


def keys(belvo: BelvoSimulator, **changes: Any) -> dict[str, Any]:
    known = {"id": belvo.secret_id, "password": belvo.secret_password, "scopes": "read_institutions,write_links"}
    return {name: value for name, value in {**known, **changes}.items() if value is not ...}


def claims(token: str) -> Any:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


async def test_the_widget_gets_its_token(client: BelvoClient) -> None:
    """The keys stand in the body, so none is needed in the headers; the token lives ten minutes."""
    async with (
        aiohttp.ClientSession(client.belvo.url) as http,
        http.post("/api/token/", json=keys(client.belvo, link_id=client.belvo.links[0])) as response,
    ):
        tokens = await response.json()

    access, refresh = claims(tokens["access"]), claims(tokens["refresh"])
    assert 200 == response.status
    assert ("access", "refresh", 600) == (access["token_type"], refresh["token_type"], access["exp"] - access["iat"])
    assert (["read_institutions", "write_links"], client.belvo.links[0]) == (access["scopes"], access["link_id"])
    assert client.belvo.secret_password not in str(access)


async def test_a_links_token_is_given_to_who_is_logged_in(client: BelvoClient) -> None:
    """Belvo's client for JavaScript asks so: the keys in the header alone."""
    order = {"link_id": client.belvo.links[0], "scopes": "read_links"}
    async with client.http.post("/api/token/", json=order) as known:
        pass
    async with aiohttp.ClientSession(client.belvo.url) as http, http.post("/api/token/", json=order) as stranger:
        pass

    assert (200, 400) == (known.status, stranger.status)


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"password": "another"}, 401, "authentication_failed", None),
        ({"id": ...}, 400, "required", "id"),
        ({"password": None}, 400, "null", "password"),
        ({"scopes": ...}, 400, "required", "scopes"),
        ({"link_id": "nonsense"}, 400, "invalid", "link_id"),
        ({"link_id": "00000000-0000-4000-8000-000000000000"}, 400, "does_not_exist", "link_id"),
    ],
)
async def test_a_token_is_refused_for_a_reason(
    client: BelvoClient, change: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    async with client.http.post("/api/token/", json=keys(client.belvo, **change)) as response:
        body = await response.json()

    assert (status, code, field) == (response.status, body[0]["code"], body[0].get("field"))


LOOK: dict[str, Any] = {
    "company_icon": "https://acme.mx/icon.svg",
    "company_logo": "https://acme.mx/logo.svg",
    "company_name": "ACME",
    "company_terms_url": "https://acme.mx/terms/",
}
BACK = {"success": "your_deeplink_here://success", "exit": "your_deeplink_here://exit", "event": "acme://error"}


async def test_the_widget_gets_all_that_is_documented(client: BelvoClient) -> None:
    """What the link is to be stands in the token, as in the example's."""
    order = keys(
        client.belvo,
        fetch_resources=["INVOICES", "TAX_STATUS"],
        stale_in="42d",
        credentials_storage="27d",
        widget={
            "branding": {**LOOK, "company_terms_version": "20260323", "social_proof": True},
            "callback_urls": BACK,
            "theme": [{"css_key": "--color-primary-base", "value": "#907AD6"}],
        },
    )
    async with client.http.post("/api/token/", json=order) as response:
        access = claims((await response.json())["access"])

    assert 200 == response.status
    assert [["INVOICES", "TAX_STATUS"], "42d", "27d"] == [
        access[name] for name in ("fetch_resources", "stale_in", "credentials_storage")
    ]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        pytest.param({"scopes": "read institutions"}, "scopes", "invalid", id="scopes parted by blanks"),
        pytest.param({"scopes": ["write_links"]}, "scopes", "invalid", id="scopes in a list"),
        pytest.param({"fetch_resources": "INVOICES"}, "fetch_resources", "not_a_list", id="resources as text"),
        pytest.param(
            {"fetch_resources": ["ACCOUNTS"]}, "fetch_resources", "invalid_fetch_resources", id="a bank's resource"
        ),
        pytest.param({"stale_in": "a year"}, "stale_in", "invalid", id="stale in words"),
        pytest.param({"credentials_storage": "for ever"}, "credentials_storage", "invalid", id="storage in words"),
        pytest.param({"widget": "dark"}, "widget", "invalid", id="a widget's name"),
        pytest.param({"widget": {}}, "branding", "required", id="no branding"),
        pytest.param({"widget": {"branding": {}}}, "company_icon", "required", id="an empty branding"),
        pytest.param({"widget": {"branding": LOOK | {"company_logo": "x"}}}, "company_logo", "invalid", id="no URI"),
        pytest.param({"widget": {"branding": LOOK | {"social_proof": 1}}}, "social_proof", "invalid", id="no flag"),
        pytest.param(
            {"widget": {"branding": LOOK, "callback_urls": {"success": "acme://ok", "event": "acme://no"}}},
            "exit", "required", id="no way out",
        ),
        pytest.param({"widget": {"branding": LOOK, "theme": {}}}, "theme", "not_a_list", id="a theme that is no list"),
        pytest.param({"widget": {"branding": LOOK, "theme": [{"value": "#fff"}]}}, "css_key", "required", id="of what"),
    ],
)  # fmt: skip
async def test_a_widget_that_is_not_as_documented_is_refused(
    client: BelvoClient, change: dict[str, Any], field: str, code: str
) -> None:
    async with client.http.post("/api/token/", json=keys(client.belvo, **change)) as response:
        body = await response.json()

    assert (400, (field, code)) == (response.status, (body[0]["field"], body[0]["code"]))


# Belvo's own client for Python, as it is installed


async def with_their_client(belvo: BelvoSimulator, use: Callable[[Client], T]) -> T:
    """Let Belvo's client work in a thread: it waits for each answer, and the simulator lives on this loop."""

    def work() -> T:
        theirs = Client(belvo.secret_id, belvo.secret_password, belvo.url)
        with theirs.session.session:  # it never closes its connections
            return use(theirs)

    # No time passes meanwhile: it keeps connections open that the simulator would close after a minute.
    with hold_time_while(lambda: True):
        return await asyncio.to_thread(work)


async def test_belvos_client_gets_the_widgets_token(client: BelvoClient) -> None:
    """For a new link, with and without its look, and for a link that is there, but not for one that is not."""
    mine = client.belvo.links[0]

    def ask(theirs: Client) -> list[Any]:
        create = theirs.WidgetToken.create
        return [
            create(raise_exception=True),
            create(widget={"branding": LOOK, "callback_urls": BACK}, raise_exception=True),
            create(link=mine, widget={"branding": {}}, raise_exception=True),
            create(link="00000000-0000-4000-8000-000000000000"),
        ]

    *given, refused = await with_their_client(client.belvo, ask)

    assert [None, None, mine] == [claims(each["access"])["link_id"] for each in given]
    assert ["access", "refresh"] * 3 == [claims(each[kind])["token_type"] for each in given for kind in sorted(each)]
    assert "does_not_exist" == refused[0]["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/invoices/",
        "/api/financial-statements/",
        "/api/tax-returns/",
        "/api/tax-status/",
        "/api/tax-compliance-status/",
        "/api/tax-retentions/",
    ],
)
async def test_belvos_client_deletes_single_records(client: BelvoClient, path: str) -> None:
    """Of each resource: gone from its list and from its own address; what is gone cannot be deleted."""
    client.belvo.emit_historical(client.belvo.links[0])

    def delete(theirs: Client) -> tuple[list[bool], list[Any], list[Any]]:
        # For financial statements it has no class: it deletes them by what its classes stand on.
        by_class = (
            theirs.Invoices,
            theirs.TaxReturns,
            theirs.TaxStatus,
            theirs.TaxComplianceStatus,
            theirs.TaxRetentions,
        )
        named = {each.endpoint: each.delete for each in by_class}
        remove = named.get(path, partial(theirs.session.delete, path))
        before = list(theirs.session.list(path))
        done = [remove(before[0]["id"]), remove(before[0]["id"])]
        with pytest.raises(HTTPError, match="404"):
            theirs.session.get(path, before[0]["id"])
        return done, before[1:], list(theirs.session.list(path))

    done, others, left = await with_their_client(client.belvo, delete)

    assert [True, False] == done
    assert others == left


async def test_belvos_client_resumes_a_request_for_invoices(client: BelvoClient) -> None:
    """Its own `resume` refuses there; what its classes stand on sends the documented PATCH, and gets the invoices."""
    mine = client.belvo.links[0]
    client.belvo.set_link_status(mine, "token_required")
    client.belvo.next_job(duration=timedelta(0))

    def ask(theirs: Client) -> tuple[int, list[Any]]:
        with pytest.raises(RequestError) as wanted:
            theirs.Invoices.create(mine, "2025-01-01", "2025-12-31", "INFLOW", raise_exception=True)
        told = wanted.value.detail[0]
        proof = {"session": told["session"], "link": told["link"], "token": told["token_generation_data"]["value"]}
        return wanted.value.status_code, theirs.session.patch("/api/invoices/", proof, raise_exception=True)

    status, rows = await with_their_client(client.belvo, ask)

    assert 428 == status
    assert {"INFLOW"} == {row["type"] for row in rows}
    assert len(rows) == (await client.get("/api/invoices/"))[1]["count"]


# Limits


@pytest.mark.parametrize("speed", [1, 30])
async def test_the_window_of_the_rate_limit_follows_the_speed(clock: Any, speed: int) -> None:
    """80 calls in 30 seconds of the vendor's, whatever they last here."""
    async with (
        BelvoSimulator(now=clock.now, speed=speed) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        first = [await status_of(http) for _ in range(81)]
        await asyncio.sleep(30 / speed)
        later = await status_of(http)

    assert ([200] * 80 + [403], 200) == (first, later)


async def status_of(http: aiohttp.ClientSession) -> int:
    async with http.get("/api/links/") as response:
        return response.status


async def test_limits_can_be_taken_away(clock: Any) -> None:
    async with (
        BelvoSimulator(now=clock.now, limits=False) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        assert [200] * 100 == [await status_of(http) for _ in range(100)]
