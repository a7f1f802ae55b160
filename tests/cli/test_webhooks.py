"""`belvo-async webhooks`: endpoints of a Syntage on loopback, with a session behind their address."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from belvo_async import Session
from belvo_async._cli import main
from belvo_async._cli.arguments import make_parser
from belvo_async._cli.webhooks.endpoints import change, create, delete, try_out
from belvo_async._cli.webhooks.listing import attempts, endpoints
from belvo_async._cli.webhooks.rotation import rotate
from belvo_async.errors import BelvoAsyncError, TransportError, UnsupportedError
from belvo_async.simulator.syntage.workspace.endpoints import WebhookEndpoint
from tests.session.world import World, world
from tests.variables import variables_of

__all__ = ["world"]

RUN: dict[str, Any] = {
    "list": endpoints,
    "requests": attempts,
    "create": create,
    "change": change,
    "delete": delete,
    "rotate": rotate,
    "test": try_out,
}
FOREIGN = "https://example.com/somebody-else"
NEEDED = ("extraction.updated", "export.updated")
WHOLE, PARTIAL, DECIDE = 0, 3, 4


@dataclass
class Desk:
    """Types commands about webhooks; a receiver that takes the secrets it was given stands behind `url`."""

    world: World
    folder: Path
    capsys: pytest.CaptureFixture[str]
    url: str = ""
    receiver: Session | None = None

    @property
    def new_secret(self) -> Path:
        return self.folder / "new.secret"

    @property
    def known(self) -> list[dict[str, Any]]:
        """What Syntage holds, the oldest first."""
        return [each.row() for each in reversed(self.world.syntage.webhook_endpoints.all())]

    async def receive(self, *secrets: str) -> None:
        """Let the receiver take what these secrets prove."""
        self.receiver = await self.world.open(self.world.syntage_vendor(webhook_secrets=secrets), webhooks=False)

    async def serve(self) -> None:
        async def take(request: web.Request) -> web.Response:
            assert self.receiver is not None
            return web.Response(status=await self.receiver.receive("syntage", request.headers, await request.read()))

        app = web.Application()
        app.router.add_post("/webhooks/syntage", take)
        self.url = f"{await self.world.serve(app)}/webhooks/syntage"
        self.world.syntage.webhook_url = self.url
        await self.receive(self.world.syntage.signing_secret)

    async def type(self, *argv: str, **environ: str) -> tuple[int, str]:
        """Run a command; its exit code, and what it printed."""
        options = make_parser().parse_args(["webhooks", *argv])
        given = {**variables_of(self.world.syntage), "SYNTAGE_WEBHOOK_URL": self.url, **environ}
        self.capsys.readouterr()
        code: int = await RUN[argv[0]](options, lambda: given, self.world.clock)
        return code, self.capsys.readouterr().out

    async def refused(self, *argv: str, **environ: str) -> str:
        """Run a command that does not do it; the sentence it says."""
        with pytest.raises(BelvoAsyncError) as error:
            await self.type(*argv, **environ)
        return str(error.value)


@pytest.fixture
async def desk(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(world, tmp_path, capsys)
    await made.serve()
    return made


@pytest.fixture
def foreign(desk: Desk) -> dict[str, Any]:
    """An endpoint of somebody else's, which nothing here may touch."""
    kinds = ["invoice.created"]
    return desk.world.syntage.webhook_endpoints.make(
        FOREIGN, kinds, enabled=True, content_type="application/json"
    ).row()


async def test_list_shows_endpoints_and_no_secret(desk: Desk, foreign: dict[str, Any]) -> None:
    """Whose secret is one of ours is said; as JSON, one object a line."""
    code, table = await desk.type("list")
    _, lines = await desk.type("list", "--format", "json")
    _, one = await desk.type("list", "--url", FOREIGN, "--format", "json")

    facts = [json.loads(line) for line in lines.splitlines()]
    assert WHOLE == code
    assert ["id", "address", "enabled", "events", "secret", "created"] == table.splitlines()[0].split()
    assert [("ours", True), ("unknown", True)] == [(each["secret"], each["enabled"]) for each in facts]
    assert [foreign["id"]] == [json.loads(line)["id"] for line in one.splitlines()]
    assert "wrong" not in table
    for each in desk.known:
        assert each["signingSecret"] not in table + lines


async def test_list_says_what_is_wrong(desk: Desk) -> None:
    """The same sentences as a session that opens: a disabled endpoint, events that are missing, an unknown secret."""
    (mine,) = desk.known
    _, unknown = await desk.type("list", SYNTAGE_WEBHOOK_SECRET="another-secret-0123")
    await desk.type("change", mine["id"], "--event", "extraction.updated")
    _, events = await desk.type("list")
    await desk.type("change", "--disable")
    _, disabled = await desk.type("list")
    _, elsewhere = await desk.type("list", SYNTAGE_WEBHOOK_URL=FOREIGN)

    assert "wrong: the endpoint" in unknown
    assert "that SYNTAGE_WEBHOOK_SECRET does not hold: what it delivers is refused" in unknown
    assert "does not bring export.updated" in events
    assert "is disabled" in disabled
    assert f"no endpoint has the address {FOREIGN}" in elsewhere


async def test_create_writes_the_secret_where_only_its_owner_reads(desk: Desk) -> None:
    """Into a new file, with nothing of it printed; given again, it finds what it made."""
    place = desk.folder / "made.secret"
    asked = ("create", "--url", FOREIGN, "--secret-file", str(place))

    code, said = await desk.type(*asked)
    again, said_again = await desk.type(*asked)
    place.unlink()
    restored, _ = await desk.type(*asked)

    secret = desk.known[1]["signingSecret"]
    assert (WHOLE, WHOLE, WHOLE) == (code, again, restored)
    assert (f"{secret}\n", 0o600) == (place.read_text(), stat.S_IMODE(place.stat().st_mode))
    assert 2 == len(desk.known)
    assert ["extraction.updated", "export.updated"] == desk.known[1]["events"]
    assert "is made" in said
    assert "was there already" in said_again
    assert f"{place}, which only its owner reads; SYNTAGE_WEBHOOK_SECRET takes it" in said
    assert secret not in said + said_again


async def test_a_secret_is_printed_only_when_it_is_asked_for(desk: Desk) -> None:
    """As the variable that takes it; nothing is written."""
    _, said = await desk.type("create", "--url", FOREIGN, "--show-secret")

    assert f"SYNTAGE_WEBHOOK_SECRET={desk.known[1]['signingSecret']}" == said.splitlines()[-1]
    assert [] == [*desk.folder.iterdir()]


async def test_create_takes_up_what_a_lost_answer_left(desk: Desk) -> None:
    """The POST is sent once; whoever gives the command again gets the secret of what it made."""
    asked = ("create", "--url", FOREIGN, "--event", "file.created", "--disabled", "--secret-file", str(desk.new_secret))
    desk.world.syntage.next_answer("lost_202", path="/webhook-endpoints")

    with pytest.raises(TransportError):
        await desk.type(*asked)
    code, _ = await desk.type(*asked)

    assert (WHOLE, 2, False) == (code, len(desk.known), desk.known[1]["enabled"])
    assert f"{desk.known[1]['signingSecret']}\n" == desk.new_secret.read_text()


@pytest.mark.parametrize("kind", ["a link to nowhere", "a pipe", "a folder"])
async def test_a_secret_goes_into_a_new_file_and_nothing_else(desk: Desk, kind: str) -> None:
    """A pipe is not read, which would wait for ever; what leads nowhere is there. Nothing is made before."""
    place = desk.folder / "odd"
    if kind == "a pipe":
        os.mkfifo(place)
    elif kind == "a folder":
        place.mkdir()
    else:
        place.symlink_to(desk.folder / "nowhere" / "x")

    first = await desk.refused("create", "--url", FOREIGN, "--secret-file", str(place))
    desk.world.syntage.webhook_endpoints.make(FOREIGN, list(NEEDED), enabled=True, content_type="application/ld+json")
    second = await desk.refused("create", "--url", FOREIGN, "--secret-file", str(place))
    rotated = await desk.refused("rotate", "--url", FOREIGN, "--secret-file", str(place))

    assert all("is there already" in each for each in (first, second, rotated))
    assert 2 == len(desk.known)


async def test_create_refuses_before_anything_is_made(desk: Desk) -> None:
    """A file that is there, a directory that is not, an event or address that cannot be, an endpoint that differs."""
    desk.new_secret.write_text("something else")
    url, place = ("create", "--url", FOREIGN), ("--secret-file", str(desk.folder / "x.secret"))

    said = [
        await desk.refused(*url, "--secret-file", str(desk.new_secret)),
        await desk.refused(*url, "--secret-file", str(desk.folder / "nowhere" / "x")),
        await desk.refused(*url, *place, "--event", "extraction.update"),
        await desk.refused("create", "--url", "http://example.com/x", *place),
        await desk.refused("create", *place, "--event", "file.created"),
        await desk.refused("create", *place, SYNTAGE_WEBHOOK_URL=""),
    ]

    words = (
        "is there already",
        "there is no directory",
        "delivers no 'extraction.update'; did you mean extraction.updated?",
        "--url must be a public https address",
        "not just so",
        "set SYNTAGE_WEBHOOK_URL",
    )
    assert [] == [(each, text) for each, text in zip(words, said, strict=True) if each not in text]
    assert 1 == len(desk.known)
    assert "something else" == desk.new_secret.read_text()


async def test_change_enables_and_gives_other_events(desk: Desk, foreign: dict[str, Any]) -> None:
    """By the beginning of an id; the rest of it stays as it was."""
    _, said = await desk.type("change", foreign["id"], "--disable", "--event", "file.created")

    assert f"the endpoint {foreign['id']} is disabled, for file.created\n" == said
    kept = ("id", "url", "signingSecret", "contentType")
    assert {name: foreign[name] for name in kept} == {name: desk.known[1][name] for name in kept}
    assert "change what?" in await desk.refused("change", foreign["id"])
    assert "at least 4" in await desk.refused("change", "0", "--enable")
    assert "no endpoint of the account begins with 'ffff'" in await desk.refused("change", "ffff", "--enable")


async def test_delete_leaves_a_foreign_endpoint_alone(desk: Desk, foreign: dict[str, Any]) -> None:
    """Unless it is said that it is meant."""
    said = await desk.refused("delete", foreign["id"])
    left = len(desk.known)
    await desk.type("delete")
    await desk.type("delete", foreign["id"], "--foreign")

    assert "it may be somebody else's" in said
    assert (2, []) == (left, desk.known)


async def test_test_tells_what_is_ours_and_what_is_the_vendors(desk: Desk, foreign: dict[str, Any]) -> None:
    """Our own event is taken by a receiver that knows the secret; what Syntage recorded stands beside it."""
    code, quiet = await desk.type("test")
    session = await desk.world.open(desk.world.syntage_vendor(), webhooks=False)
    await (await session.fire(desk.world.extraction(0, "tax_status")))
    _, told = await desk.type("test")
    await desk.receive("another-secret-0123")
    refused, unknown = await desk.type("test")
    await desk.type("change", desk.known[0]["id"], "--disable")
    disabled, paused = await desk.type("test")

    assert (WHOLE, DECIDE, DECIDE) == (code, refused, disabled)
    assert "a signed event was sent from here and taken (200)" in quiet
    assert "Syntage recorded no attempt yet" in quiet
    assert "0 failed; the last was answered 200" in told
    assert "refused (401): does SYNTAGE_WEBHOOK_SECRET of the receiver hold it?" in unknown
    assert "disabled: `belvo-async webhooks change" in paused


async def test_test_says_that_nobody_answers(desk: Desk) -> None:
    """Within three seconds, and that is not the vendor's word."""
    desk.world.syntage.webhook_url = "http://127.0.0.1:9/nobody"

    code, said = await desk.type("test", "--url", "http://127.0.0.1:9/nobody")

    assert DECIDE == code
    assert "was sent from here, and nobody answered" in said


async def test_requests_show_failures_first(desk: Desk) -> None:
    """Then what was taken, the newest first; as JSON and narrowed as well."""
    session = await desk.world.open(desk.world.syntage_vendor(), webhooks=False)
    await desk.receive("another-secret-0123")
    await (await session.fire(desk.world.extraction(0, "tax_status")))
    await desk.receive(desk.world.syntage.signing_secret)
    await (await session.fire(desk.world.extraction(1, "tax_status")))

    _, table = await desk.type("requests")
    _, lines = await desk.type("requests", "--format", "json", "--event", "extraction.updated")
    _, failed = await desk.type("requests", "--failed", "--format", "json")
    _, by_status = await desk.type("requests", "--status", "401", "--format", "json", "--limit", "2")
    _, none = await desk.type("requests", "--url", FOREIGN)

    answers = [row.split()[2] for row in table.splitlines()[2:]]
    facts = [json.loads(line) for line in lines.splitlines()]
    assert {"200", "401"} == {*answers}
    assert sorted(answers, reverse=True) == answers
    assert {"extraction.updated"} == {each["event"] for each in facts}
    assert {False} == {json.loads(line)["accepted"] for line in failed.splitlines()}
    assert [401, 401] == [json.loads(line)["status"] for line in by_status.splitlines()]
    assert "none\n" == none
    for each in desk.known:
        assert each["signingSecret"] not in table + lines


async def test_requests_of_an_event_that_does_not_exist_are_refused(desk: Desk) -> None:
    """A slip in its name would look as if nothing had ever been delivered."""
    said = await desk.refused("requests", "--event", "extraction.update")

    assert "delivers no 'extraction.update'; did you mean extraction.updated?" in said


async def test_belvo_has_no_api_for_them(desk: Desk) -> None:
    """One sentence says where they are set up."""
    given = variables_of(desk.world.belvo)

    with pytest.raises(UnsupportedError, match="Belvo has no API for webhooks"):
        await desk.type("list", "--vendor", "belvo", **given)


async def test_an_account_of_the_file_names_its_own_variables(desk: Desk) -> None:
    """What is to be set is what that account reads."""
    config = desk.folder / "plans.toml"
    config.write_text('[accounts.acme]\nvendor = "syntage"\nenv = "ACME"\n')
    given = {name.replace("SYNTAGE_", "ACME_"): value for name, value in variables_of(desk.world.syntage).items()}

    said = await desk.refused("test", "--config", str(config), **given)

    assert "set ACME_WEBHOOK_URL" in said


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["create", "--url", FOREIGN], 2, "one of the arguments --secret-file --show-secret is required"),
        (["requests", "--status", "900"], 2, "must be an HTTP status, or 0"),
        (["list"], 1, "syntage needs the environment variable SYNTAGE_API_KEY"),
        (["list", "--account", "acme"], 1, "the file has no account 'acme'"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    argv: list[str], code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, with the exit code of every command."""
    monkeypatch.delenv("SYNTAGE_API_KEY", raising=False)

    try:
        left: object = main(["webhooks", *argv])
    except SystemExit as error:
        left = error.code

    said = capsys.readouterr()
    assert (code, "") == (left, said.out)
    assert words in said.err
    assert "Traceback" not in said.err


# Changing the secret


async def begin(desk: Desk) -> dict[str, Any]:
    """The first turn: a second endpoint, disabled; its row."""
    code, _ = await desk.type("rotate", "--secret-file", str(desk.new_secret))
    assert PARTIAL == code
    return desk.known[-1]


async def test_a_rotation_takes_two_turns(desk: Desk, foreign: dict[str, Any]) -> None:
    """A second endpoint, disabled; then, once the receiver takes both secrets, it stands in place of the first."""
    old, secret = desk.known[0], desk.world.syntage.signing_secret
    first, begun = await desk.type("rotate", "--secret-file", str(desk.new_secret))
    new = desk.known[-1]
    early, refused = await desk.type("rotate", "--secret-file", str(desk.new_secret))
    await desk.receive(secret, new["signingSecret"])
    last, done = await desk.type("rotate", "--secret-file", str(desk.new_secret))
    again, over = await desk.type("rotate", "--secret-file", str(desk.new_secret))

    assert (PARTIAL, PARTIAL, WHOLE, WHOLE) == (first, early, last, again)
    assert (False, old["url"], old["events"]) == (new["enabled"], new["url"], new["events"])
    assert [foreign, {**new, "enabled": True, "updatedAt": desk.known[1]["updatedAt"]}] == desk.known
    assert f"{new['signingSecret']}\n" == desk.new_secret.read_text()
    assert "the old and the new secret, parted by a comma" in begun
    assert "refused (401)" in refused
    assert f"4. {old['id']} is deleted\ndone: take its secret out of SYNTAGE_WEBHOOK_SECRET" in done
    assert "done: " in over
    assert not any(each in begun + refused + done + over for each in (secret, new["signingSecret"]))


async def test_no_delivery_is_refused_while_it_goes_on(desk: Desk) -> None:
    """Jobs end by webhooks before, between and after the turns."""
    session = await desk.world.open(desk.world.syntage_vendor(), webhooks=False)
    secret = desk.world.syntage.signing_secret

    await (await session.fire(desk.world.extraction(0, "tax_status")))
    new = await begin(desk)
    await (await session.fire(desk.world.extraction(1, "tax_status")))
    await desk.receive(secret, new["signingSecret"])
    assert WHOLE == (await desk.type("rotate", "--secret-file", str(desk.new_secret)))[0]
    await desk.receive(new["signingSecret"])
    await (await session.fire(desk.world.extraction(2, "tax_status")))

    assert {200} == {each.status for each in desk.world.syntage.deliveries}


STEPS = [
    pytest.param("POST", "lost_202", id="the answer to the POST is lost"),
    pytest.param("POST", "server_error", id="the POST fails"),
    pytest.param("PUT", "forbidden", id="enabling fails"),
    pytest.param("DELETE", "forbidden", id="deleting fails"),
    pytest.param("GET", "forbidden", id="the list fails"),
]


@pytest.mark.parametrize(("method", "fault"), STEPS)
async def test_a_rotation_may_break_off_anywhere(desk: Desk, foreign: dict[str, Any], method: str, fault: str) -> None:
    """The same command goes on; the address is never without an enabled endpoint, and a foreign one is as it was."""
    secret, rotation = desk.world.syntage.signing_secret, ("rotate", "--secret-file", str(desk.new_secret))
    desk.world.syntage.next_answer(fault, method=method, path="/webhook-endpoints*")
    codes: list[int | None] = []

    for _ in range(5):
        mine = [each for each in desk.known if each["url"] == desk.url]
        assert any(each["enabled"] for each in mine)
        await desk.receive(secret, *(each["signingSecret"] for each in mine))
        try:
            codes.append((await desk.type(*rotation))[0])
        except BelvoAsyncError:
            codes.append(None)
        if codes[-1] == WHOLE:
            break

    (left,) = [each for each in desk.known if each["url"] == desk.url]
    assert (1, WHOLE) == (codes.count(None), codes[-1])
    assert (True, f"{left['signingSecret']}\n") == (left["enabled"], desk.new_secret.read_text())
    assert secret != left["signingSecret"]
    assert foreign in desk.known


async def test_a_rotation_deletes_nothing_that_the_vendor_could_not_deliver_by(desk: Desk) -> None:
    """Our own event was taken, but Syntage's by the new endpoint was not: the old one stays."""
    secret = desk.world.syntage.signing_secret
    new = await begin(desk)
    await desk.type("change", new["id"], "--enable")
    session = await desk.world.open(desk.world.syntage_vendor(), webhooks=False)
    await (await session.fire(desk.world.extraction(0, "tax_status")))  # the receiver does not know the new secret yet
    await desk.receive(secret, new["signingSecret"])

    code, said = await desk.type("rotate", "--secret-file", str(desk.new_secret))

    assert (PARTIAL, 2) == (code, len(desk.known))
    assert "was not taken (401): nothing is deleted" in said


async def test_a_rotation_deletes_nothing_before_the_new_endpoint_is_enabled(desk: Desk) -> None:
    """What counts is what the vendor says, not what it was asked for: else nothing would be delivered any more."""

    class Stubborn(WebhookEndpoint):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, False if name == "enabled" else value)

    secret = desk.world.syntage.signing_secret
    new = await begin(desk)
    await desk.receive(secret, new["signingSecret"])
    made = next(each for each in desk.world.syntage.webhook_endpoints.all() if each.id == new["id"])
    made.__class__ = Stubborn

    code, said = await desk.type("rotate", "--secret-file", str(desk.new_secret))

    assert (PARTIAL, [True, False]) == (code, [each["enabled"] for each in desk.known])
    assert "nothing is deleted" in said


async def test_a_rotation_that_cannot_be_probed_waits_for_the_vendor(desk: Desk) -> None:
    """The new endpoint is enabled unseen; the old one goes once Syntage has delivered by the new."""
    secret, rotation = (
        desk.world.syntage.signing_secret,
        ("rotate", "--unprobed", "--secret-file", str(desk.new_secret)),
    )
    new = await begin(desk)
    await desk.receive(secret, new["signingSecret"])

    waiting, said = await desk.type(*rotation)
    between = [each["enabled"] for each in desk.known]
    session = await desk.world.open(desk.world.syntage_vendor(), webhooks=False)
    await (await session.fire(desk.world.extraction(0, "tax_status")))
    done, _ = await desk.type(*rotation)

    assert (PARTIAL, [True, True], WHOLE) == (waiting, between, done)
    assert "has delivered nothing by" in said
    assert [new["id"]] == [each["id"] for each in desk.known]


async def test_the_endpoint_that_is_named_is_the_one_that_goes(desk: Desk) -> None:
    """Of two, the older goes: were the newer meant, the other would be deleted, and the secret that was to go stay."""
    secret, old = desk.world.syntage.signing_secret, desk.known[0]
    new = await begin(desk)
    await desk.receive(secret, new["signingSecret"])

    said = await desk.refused("rotate", new["id"], "--secret-file", str(desk.new_secret))
    both = [each["id"] for each in desk.known]
    code, _ = await desk.type("rotate", old["id"], "--secret-file", str(desk.new_secret))

    assert f"{new['id']} is the newer of two" in said
    assert ([old["id"], new["id"]], WHOLE, [new["id"]]) == (both, code, [each["id"] for each in desk.known])


async def test_a_disabled_endpoint_is_replaced_by_a_disabled_one(desk: Desk) -> None:
    """A rotation changes the secret and nothing else."""
    await desk.type("change", "--disable")
    new = await begin(desk)
    await desk.receive(new["signingSecret"])

    code, _ = await desk.type("rotate", "--secret-file", str(desk.new_secret))

    assert (WHOLE, [False]) == (code, [each["enabled"] for each in desk.known])


async def test_what_is_no_rotation_is_left_alone(desk: Desk) -> None:
    """No endpoint, too many, or two of which neither does what the other does; a file that is there already."""
    made = desk.world.syntage.webhook_endpoints
    rotation = ("rotate", "--secret-file", str(desk.new_secret))

    nobody = await desk.refused(*rotation, "--url", FOREIGN)
    desk.new_secret.write_text("something else")
    there = await desk.refused(*rotation)
    desk.new_secret.unlink()
    made.make(desk.url, ["invoice.created"], enabled=True, content_type="application/json")
    differing = await desk.refused(*rotation)
    made.make(desk.url, ["invoice.created"], enabled=True, content_type="application/json")
    many = await desk.refused(*rotation)

    assert "no endpoint has the address" in nobody
    assert "is there already" in there
    assert "for different events" in differing
    assert "3 endpoints have that address" in many
    assert 3 == len(desk.known)
    assert not desk.new_secret.exists()
