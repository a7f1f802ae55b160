"""Links of the simulated Belvo are created, confirmed, changed and deleted as its pages say."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import BelvoClient, Receiver, basic

NEW: dict[str, Any] = {
    "institution": "tatooine_mx_fiscal",
    "username": "PFIS010101000",
    "password": "individual",
    "external_id": "cust-000417",
    "access_mode": "single",
    "fetch_resources": ["TAX_STATUS", "TAX_RETURNS"],
}
MINUTES = 600  # seconds, longer than any run through a link's resources
Body = dict[str, Any]


async def send(
    client: BelvoClient, method: str, path: str, body: Body | None = None, **headers: str
) -> tuple[int, Any]:
    async with client.http.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None) if await response.read() else None


async def created(client: BelvoClient, **changes: Any) -> Body:
    status, body = await send(client, "POST", "/api/links/", {**NEW, **changes})
    assert 201 == status
    link: Body = body
    return link


async def test_a_link_is_created(client: BelvoClient) -> None:
    """201 with the link after the login; it is listed, and nothing was accessed yet."""
    began = asyncio.get_running_loop().time()

    link = await created(client, stale_in="300d", credentials_storage="30d")

    assert 1 < asyncio.get_running_loop().time() - began < 10
    assert (200, link) == await client.get(f"/api/links/{link['id']}/")
    assert ("valid", "single", "300d", "30d") == (
        link["status"], link["access_mode"], link["stale_in"], link["credentials_storage"],
    )  # fmt: skip
    assert (NEW["external_id"], NEW["fetch_resources"], None) == (
        link["external_id"], link["fetch_resources"], link["last_accessed_at"],
    )  # fmt: skip
    assert 44 == len(link["institution_user_id"])
    assert link["id"] in client.belvo.links
    assert "PFIS010101000" == client.belvo.rfc_of(link["id"])


async def test_defaults_of_a_link(client: BelvoClient) -> None:
    """Without more a link is recurrent, keeps its credentials, and fetches nothing of its own."""
    plain = {name: NEW[name] for name in ("institution", "username", "password")}

    _, link = await send(client, "POST", "/api/links/", plain)

    assert ("recurrent", "store", "7d", [], "365d", None) == (
        link["access_mode"], link["credentials_storage"], link["refresh_rate"], link["fetch_resources"],
        link["stale_in"], link["external_id"],
    )  # fmt: skip


async def test_what_a_new_link_fetches_is_announced(client: BelvoClient, receiver: Receiver) -> None:
    """Historical webhooks of its resources follow, tax returns twice, under one request id; then rows are listed."""
    link = await created(client)
    busy, refused = await client.post("/api/tax-status/", link=link["id"])
    await asyncio.sleep(MINUTES)

    hooks = receiver.bodies
    assert ["TAX_STATUS", "TAX_RETURNS", "TAX_RETURNS"] == [hook["webhook_type"] for hook in hooks]
    assert ["yearly", "monthly"] == [hook["data"]["type"] for hook in hooks[1:]]
    assert {("historical_update", "historical_update")} == {
        (hook["process_type"], hook["webhook_code"]) for hook in hooks
    }
    assert (1, link["id"], "cust-000417") == (
        len({hook["request_id"] for hook in hooks}), hooks[0]["link_id"], hooks[0]["external_id"],
    )  # fmt: skip
    assert (400, "too_many_sessions") == (busy, refused[0]["code"])
    assert 1 == (await client.get("/api/tax-status/", link=link["id"]))[1]["count"]
    assert (await client.get(f"/api/links/{link['id']}/"))[1]["last_accessed_at"] is not None


async def test_a_new_link_announces_recent_invoices_first(client: BelvoClient, receiver: Receiver) -> None:
    """Two initial updates of the last thirty days come before the ten of the years."""
    await created(client, fetch_resources=["INVOICES"])
    await asyncio.sleep(MINUTES)

    codes = [hook["webhook_code"] for hook in receiver.bodies]
    assert ["initial_inflow_update", "initial_outflow_update"] == codes[:2]
    assert ["historical_inflow_update", "historical_outflow_update"] * 5 == codes[2:]
    assert {"total_invoices", "first_invoice_date", "last_invoice_date"} == set(receiver.bodies[0]["data"])


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"institution": "SAT"}, "institution", "invalid"),
        ({"institution": "coruscant_mx_fiscal"}, "institution", "does_not_exist"),
        ({"username": "PFIS01"}, "username", "invalid"),
        ({"username": ""}, "username", "blank"),
        ({"password": "short"}, "password", "invalid"),
        ({"password": None}, "password", "null"),
        ({"password": 12345678}, "password", "invalid"),
        ({"external_id": "ab"}, "external_id", "invalid"),
        ({"access_mode": "daily"}, "access_mode", "invalid_choice"),
        ({"fetch_resources": "INVOICES"}, "fetch_resources", "not_a_list"),
        ({"fetch_resources": ["ACCOUNTS"]}, "fetch_resources", "invalid_fetch_resources"),
        ({"credentials_storage": "forever"}, "credentials_storage", "invalid"),
        ({"stale_in": "1 year"}, "stale_in", "invalid"),
        ({"access_mode": "recurrent", "credentials_storage": "30d"},
         "credentials_storage", "invalid_credentials_storage"),
        ({"credentials_storage": "nostore", "fetch_resources": []}, "fetch_resources", "invalid_fetch_resources"),
    ],
)  # fmt: skip
async def test_bad_links_name_the_field(client: BelvoClient, changes: Body, field: str, code: str) -> None:
    """400 with the field; nothing is created."""
    before = client.belvo.links

    status, body = await send(client, "POST", "/api/links/", {**NEW, **changes})

    assert (400, field, code) == (status, body[0]["field"], body[0]["code"])
    assert before == client.belvo.links


async def test_missing_fields_of_a_link_come_all_at_once(client: BelvoClient) -> None:
    """An empty body names every required field."""
    _, body = await send(client, "POST", "/api/links/", {})

    assert [("institution", "required"), ("username", "required"), ("password", "required")] == [
        (row["field"], row["code"]) for row in body
    ]


@pytest.mark.parametrize("known", [True, False], ids=["of the simulator", "of a client"])
async def test_a_second_link_of_one_login_is_refused(client: BelvoClient, known: bool) -> None:
    """`duplicated` tells the institution_user_id of the link there is."""
    rfc = client.belvo.rfc_of(client.belvo.links[0]) if known else "XAXX010101AB1"
    first = (
        (await client.get(f"/api/links/{client.belvo.links[0]}/"))[1] if known else await created(client, username=rfc)
    )

    status, body = await send(client, "POST", "/api/links/", {**NEW, "username": rfc.lower()})

    assert (400, "duplicated") == (status, body[0]["code"])
    assert first["institution_user_id"] == body[0]["institution_user_id"]


async def test_a_wrong_password_is_refused(client: BelvoClient) -> None:
    """The password `wrongpass` is a login_error, at creation and at an update."""
    at_creation = await send(client, "POST", "/api/links/", {**NEW, "password": "wrongpass"})
    at_update = await send(client, "PUT", f"/api/links/{client.belvo.links[0]}/", {"password": "wrongpass"})

    assert [(400, "login_error")] * 2 == [(status, body[0]["code"]) for status, body in (at_creation, at_update)]


async def test_external_ids_with_other_characters_are_dropped(client: BelvoClient) -> None:
    """Letters, digits, - and _ only; anything else is forced to null."""
    link = await created(client, external_id="Ana López")

    assert link["external_id"] is None


async def test_a_token_confirms_a_link(client: BelvoClient, receiver: Receiver) -> None:
    """428 leaves an unconfirmed link; PATCH with the token answers it as valid, and its history follows."""
    asked, body = await send(client, "POST", "/api/links/", {**NEW, "password": "tokenlogin"})
    told = body[0]
    unconfirmed = (await client.get(f"/api/links/{told['link']}/"))[1]["status"]
    early, refused = await client.post("/api/tax-status/", link=told["link"])

    resume = {"session": told["session"], "link": told["link"], "token": "48213"}
    status, link = await send(client, "PATCH", "/api/links/", resume)
    await asyncio.sleep(MINUTES)

    assert (428, "token_required", 32, 900) == (asked, told["code"], len(told["session"]), told["expiry"])
    assert told["token_generation_data"]["expects_user_input"] is True
    assert ("unconfirmed", 400, "unconfirmed_link") == (unconfirmed, early, refused[0]["code"])
    assert (200, told["link"], "valid") == (status, link["id"], link["status"])
    assert 3 == len(receiver.bodies)


async def test_some_links_ask_at_every_retrieval(client: BelvoClient) -> None:
    """The password `tokenalways` asks for a token at creation and at each POST."""
    _, body = await send(client, "POST", "/api/links/", {**NEW, "password": "tokenalways", "fetch_resources": []})
    link = body[0]["link"]
    resume = {"session": body[0]["session"], "link": link, "token": "48213"}
    await send(client, "PATCH", "/api/links/", resume)

    statuses = []
    for _ in range(2):
        asked, told = await client.post("/api/tax-status/", link=link)
        await send(client, "PATCH", "/api/links/", {**resume, "session": told[0]["session"]})
        answered, _ = await client.post("/api/tax-status/", link=link)
        statuses.append((asked, answered))

    assert [(428, 201), (428, 201)] == statuses


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"session": "abc"}, "session", "invalid"),
        ({"link": None}, "link", "null"),
        ({"token": ""}, "token", "blank"),
        ({"save_data": "yes"}, "save_data", "invalid"),
    ],
)
async def test_bad_resumes_name_the_field(client: BelvoClient, changes: Body, field: str, code: str) -> None:
    """400 with the field."""
    body = {"session": "0" * 32, "link": client.belvo.links[0], "token": "48213"}

    status, problems = await send(client, "PATCH", "/api/links/", {**body, **changes})

    assert (400, field, code) == (status, problems[0]["field"], problems[0]["code"])


async def test_new_credentials_revive_a_link(client: BelvoClient) -> None:
    """PUT with a right password makes an invalid link valid again."""
    link = client.belvo.links[0]
    client.belvo.invalidate_link(link)

    status, body = await send(client, "PUT", f"/api/links/{link}/", {"password": "Secret12"})

    assert (200, "valid") == (status, body["status"])
    assert 202 == (await client.post())[0]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 200), ({"institution": "tatooine_mx_fiscal", "username": "PFIS010101000"}, 200), ({"username": 5}, 400)],
)
async def test_new_credentials_may_say_whose_they_are(client: BelvoClient, changes: Body, status: int) -> None:
    """The specification requires institution and user, Belvo's own clients send neither: both are taken."""
    body = {"password": "Secret12", **changes}

    assert status == (await send(client, "PUT", f"/api/links/{client.belvo.links[0]}/", body))[0]


async def test_new_credentials_may_need_a_token(client: BelvoClient) -> None:
    """PUT is answered 428 too; the token may come by PATCH or in the PUT itself."""
    path = f"/api/links/{client.belvo.links[0]}/"
    asked, told = await send(client, "PUT", path, {"password": "tokenlogin"})

    resumed, _ = await send(
        client, "PATCH", "/api/links/", {"session": told[0]["session"], "link": told[0]["link"], "token": "48213"}
    )
    direct, _ = await send(client, "PUT", path, {"password": "tokenlogin", "token": "48213"})

    assert (428, 200, 200) == (asked, resumed, direct)


async def test_a_link_is_changed(client: BelvoClient, receiver: Receiver) -> None:
    """PATCH sets mode, staleness and resources; a link that becomes recurrent is fetched on the next day."""
    change = {"access_mode": "recurrent", "stale_in": "90d", "fetch_resources": ["TAX_STATUS"]}

    status, link = await send(client, "PATCH", f"/api/links/{client.belvo.links[0]}/", change)
    await asyncio.sleep(MINUTES)
    today = len(receiver.bodies)
    await asyncio.sleep(86_400)

    assert (200, change) == (status, {name: link[name] for name in change})
    assert (0, ["TAX_STATUS"]) == (today, [hook["webhook_type"] for hook in receiver.bodies])


async def test_bad_changes_name_the_field(client: BelvoClient) -> None:
    """400 with the field; an unknown link is 404."""
    status, body = await send(client, "PATCH", f"/api/links/{client.belvo.links[0]}/", {"stale_in": "soon"})
    missing, _ = await send(client, "PATCH", "/api/links/00000000-0000-4000-8000-000000000000/", {})

    assert (400, "stale_in", 404) == (status, body[0]["field"], missing)


async def test_a_link_is_deleted_with_its_data(client: BelvoClient) -> None:
    """204 at once; the link and all its rows are gone, others stay."""
    mine, other = client.belvo.links[:2]
    for link in (mine, other):
        client.belvo.emit_historical(link)

    status, body = await send(client, "DELETE", f"/api/links/{mine}/")

    assert (204, None) == (status, body)
    assert (404, 404) == (
        (await client.get(f"/api/links/{mine}/"))[0],
        (await send(client, "DELETE", f"/api/links/{mine}/"))[0],
    )
    for path in ("invoices", "tax-returns", "tax-status", "tax-compliance-status", "tax-retentions"):
        assert 0 == (await client.get(f"/api/{path}/", link=mine))[1]["count"]
        assert 0 < (await client.get(f"/api/{path}/", link=other))[1]["count"]


async def test_a_link_is_deleted_in_the_background(client: BelvoClient, receiver: Receiver) -> None:
    """202 with a dashed id; some seconds later the link is gone and `link_deleted` carries that id."""
    link = client.belvo.links[0]

    status, body = await send(client, "DELETE", f"/api/links/{link}/", **{"X-Belvo-Request-Mode": "async"})
    still_there = (await client.get(f"/api/links/{link}/"))[0]
    await asyncio.sleep(30)

    (hook,) = receiver.bodies
    assert (202, 36, 200) == (status, len(body["request_id"]), still_there)
    assert ("LINK", "link_deleted", link) == (hook["webhook_type"], hook["webhook_code"], hook["link_id"])
    assert (body["request_id"], {}) == (hook["request_id"], hook["data"])
    assert 404 == (await client.get(f"/api/links/{link}/"))[0]


@pytest.mark.parametrize(("outcome", "hooks", "status"), [("silent", 0, 404), ("failed", 1, 200), ("stuck", 0, 200)])
async def test_deletions_can_be_scripted(
    client: BelvoClient, receiver: Receiver, outcome: Any, hooks: int, status: int
) -> None:
    """A deletion may end without a webhook, fail with one that holds an error code, or never end."""
    link = client.belvo.links[0]
    client.belvo.next_job(resource="LINK_DELETION", outcome=outcome)
    await send(client, "DELETE", f"/api/links/{link}/", **{"X-Belvo-Request-Mode": "async"})

    await asyncio.sleep(MINUTES)

    assert hooks == len(receiver.bodies)
    assert all("error_code" in hook["data"] for hook in receiver.bodies)
    assert status == (await client.get(f"/api/links/{link}/"))[0]


async def test_five_deletions_a_minute(clock: Any) -> None:
    """The sixth synchronous one is 429; in the background there is no such limit, and a minute later all is well."""
    async with (
        BelvoSimulator(now=clock.now, links=8) as belvo,
        aiohttp.ClientSession(belvo.url, headers=basic(belvo)) as http,
    ):
        client = BelvoClient(belvo, http)
        paths = [f"/api/links/{link}/" for link in belvo.links]
        statuses = []
        for path in paths[:6]:
            async with http.delete(path) as response:
                statuses.append(response.status)
        background, _ = await send(client, "DELETE", paths[6], **{"X-Belvo-Request-Mode": "async"})
        await asyncio.sleep(61)
        later, _ = await send(client, "DELETE", paths[7])

    assert [204] * 5 + [429] == statuses
    assert (202, 204) == (background, later)


@pytest.mark.parametrize("storage", ["nostore", "1d"])
async def test_credentials_that_are_gone_refuse_posts(client: BelvoClient, storage: str) -> None:
    """Not stored, or stored for less long: expired_credentials."""
    link = await created(client, credentials_storage=storage)
    await asyncio.sleep(86_500)

    status, body = await client.post("/api/tax-status/", link=link["id"])

    assert (404, "expired_credentials") == (status, body[0]["code"])


async def test_passwords_show_nowhere(client: BelvoClient) -> None:
    """What the simulator remembers of a request or a link never prints a password."""
    password = "Zebra9Pass"
    await created(client, password=password)

    seen = [repr(client.belvo.requests), repr(client.belvo.jobs), str((await client.get("/api/links/"))[1])]

    assert not any(password in text for text in seen)
