"""The widget's token: what is refused before a byte is sent, what is sent, and that it shows nowhere."""

from __future__ import annotations

import json
import pickle
from typing import Any, assert_type, cast

import msgspec
import pytest

from belvo_async.abc import Answer, Request, Retry, Secret
from belvo_async.errors import AuthenticationError, PayloadError, TaskError, VendorError
from belvo_async.tolerant import listening
from belvo_async.vendors.belvo import (
    Branding,
    CallbackUrls,
    CreateWidgetToken,
    ThemeColor,
    Widget,
    WidgetToken,
)
from tests.vendors.belvo.samples import BELVO, LINK, NOW, answer, converse, error, sample

DOCUMENTED: dict[str, Any] = json.loads(sample("post_token_request"))
LOOK: dict[str, Any] = DOCUMENTED["widget"]["branding"]
ACCESS, REFRESH = "eyJhbGciOiJIUzUxMiJ9.access.c2ln", "eyJhbGciOiJIUzUxMiJ9.refresh.c2ln"
GIVEN = answer(200, {"access": ACCESS, "refresh": REFRESH})


def branding(**changes: Any) -> Branding:
    return Branding(**LOOK | changes)


def whole() -> Widget:
    given = DOCUMENTED["widget"]
    theme = [ThemeColor(**each) for each in given["theme"]]
    return Widget(branding=branding(), callback_urls=CallbackUrls(**given["callback_urls"]), theme=theme)


def wanted(**changes: Any) -> CreateWidgetToken:
    plain = {"fetch_resources": ["TAX_STATUS", "INVOICES"], "stale_in": "90d", "widget": whole()}
    return CreateWidgetToken(**plain | changes)


def made(call: CreateWidgetToken, given: Answer = GIVEN) -> tuple[WidgetToken, Request]:
    token, (request,) = converse(BELVO.call(call, NOW), given)
    return cast("WidgetToken", token), request


def body_of(call: CreateWidgetToken) -> Any:
    return json.loads(made(call)[1].body or b"null")


def test_all_that_is_documented_is_sent() -> None:
    """Key by key, with the keys of the account, which stand in the body here."""
    call = CreateWidgetToken(**DOCUMENTED | {"widget": whole()})

    assert {"id": "key-id", "password": "key-password", **DOCUMENTED} == body_of(call)


def test_what_is_not_given_is_not_sent() -> None:
    """At any depth: Belvo has defaults, and a firewall checks requests."""
    least = {name: LOOK[name] for name in ("company_icon", "company_logo", "company_name", "company_terms_url")}

    sent = body_of(wanted(widget=Widget(branding=Branding(**least))))

    assert {"id", "password", "scopes", "fetch_resources", "stale_in", "widget"} == set(sent)
    assert {"branding": least} == sent["widget"]
    assert (["INVOICES", "TAX_STATUS"], "read_institutions,write_links") == (sent["fetch_resources"], sent["scopes"])


def test_a_link_that_is_there_needs_nothing_else() -> None:
    """The page on the widget's update mode: the link's id, and scopes of its own."""
    sent = body_of(CreateWidgetToken(link=LINK.upper()))

    assert {"id", "password", "scopes", "link_id"} == set(sent)
    assert (LINK, "read_institutions,write_links,read_links") == (sent["link_id"], sent["scopes"])


def test_a_token_may_be_asked_for_again() -> None:
    """Nothing is created and nobody logs in anywhere: what was lost on the way is asked for once more, and soon."""
    _, request = made(wanted())

    assert ("POST", "/api/token/", "POST /api/token/") == (request.method, request.target, request.name)
    assert (Retry.SAFE, None) == (request.retry, request.timeout)
    assert request.budget is not None


def test_the_token_is_given_as_secrets() -> None:
    token, _ = made(wanted())

    assert (Secret(ACCESS), Secret(REFRESH)) == (assert_type(token, WidgetToken).access, token.refresh)


def test_the_token_and_the_keys_show_nowhere() -> None:
    """Not in repr, not in JSON, not in pickle; neither of the call, the request nor the answer."""
    call = wanted()
    token, request = made(call)
    shown = f"{token!r} {token} {call!r} {request!r} {GIVEN!r}"

    assert [] == [each for each in (ACCESS, REFRESH, "key-id", "key-password") if each in shown]
    with pytest.raises(TypeError):
        msgspec.json.encode(token)
    with pytest.raises(TypeError):
        pickle.dumps(token)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"access": ""}, id="an empty one"),
        pytest.param({"access": None, "refresh": REFRESH}, id="null"),
        pytest.param({"access": {"token": ACCESS}}, id="one in an object"),
        pytest.param([{"access": ACCESS}], id="one in a list"),
    ],
)
def test_a_token_that_cannot_be_read_is_an_error_that_does_not_tell_it(body: object) -> None:
    """Elsewhere odd values are told with their raw text: never this one."""
    with listening() as unread, pytest.raises(PayloadError) as refused:
        made(wanted(), answer(200, body))

    assert [] == list(unread)
    assert ACCESS not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(error(401, "authentication_failed"), AuthenticationError, id="wrong keys"),
        pytest.param(error(400, "required", field="widget"), VendorError, id="refused"),
        pytest.param(answer(202, {"access": ACCESS}), VendorError, id="a promise"),
    ],
)
def test_an_error_answer_raises(given: Answer, kind: type[VendorError]) -> None:
    with pytest.raises(kind) as refused:
        made(wanted(), given)

    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "build"),
    [
        pytest.param("fetch_resources", lambda: wanted(fetch_resources=None), id="no resources"),
        pytest.param("stale_in", lambda: wanted(stale_in=None), id="no end of the data"),
        pytest.param("widget", lambda: wanted(widget=None), id="no widget"),
        pytest.param("fetch_resources", lambda: wanted(fetch_resources=["ACCOUNTS"]), id="a bank's resource"),
        pytest.param("stale_in", lambda: wanted(stale_in="1 year"), id="stale in words"),
        pytest.param("credentials_storage", lambda: wanted(credentials_storage="366d"), id="366 days"),
        pytest.param("credentials_storage", lambda: wanted(credentials_storage=30), id="a number of days"),
        pytest.param(
            "fetch_resources", lambda: wanted(credentials_storage="nostore", fetch_resources=[]), id="nothing at all"
        ),
        pytest.param("scopes", lambda: wanted(scopes="read institutions"), id="scopes parted by blanks"),
        pytest.param("scopes", lambda: wanted(scopes=["write_links"]), id="scopes in a list"),
        pytest.param("link", lambda: CreateWidgetToken(link="a/b"), id="a path as a link"),
        pytest.param("widget", lambda: wanted(widget=DOCUMENTED["widget"]), id="a dict for a widget"),
        pytest.param("branding", lambda: Widget(branding=cast("Any", LOOK)), id="a dict for its branding"),
        pytest.param(
            "callback_urls",
            lambda: Widget(branding=branding(), callback_urls=cast("Any", "https://a.mx")),
            id="one address for all",
        ),
        pytest.param("theme", lambda: Widget(branding=branding(), theme=cast("Any", "dark")), id="a theme's name"),
        pytest.param("theme", lambda: Widget(branding=branding(), theme=cast("Any", 5)), id="a theme's number"),
        pytest.param("company_icon", lambda: branding(company_icon="icon.svg"), id="a file for an icon"),
        pytest.param("company_logo", lambda: branding(company_logo=None), id="no logo"),
        pytest.param("company_logo", lambda: branding(company_logo="ftp://a.mx"), id="no web address"),
        pytest.param("company_terms_url", lambda: branding(company_terms_url="https://"), id="half an address"),
        pytest.param("company_name", lambda: branding(company_name=" "), id="a name of blanks"),
        pytest.param("social_proof", lambda: branding(social_proof="no"), id="no"),
        pytest.param(
            "overlay_background_color", lambda: branding(overlay_background_color="white"), id="a color's name"
        ),
        pytest.param(
            "exit",
            lambda: CallbackUrls(success="app://ok", exit="back", event="app://error"),
            id="no address to leave to",
        ),
        pytest.param("css_key", lambda: ThemeColor(css_key="color", value="#fff"), id="no variable of CSS"),
        pytest.param("value", lambda: ThemeColor(css_key="--color", value="#ff"), id="two digits of a color"),
    ],
)
def test_what_belvo_would_refuse_is_refused_naming_the_field(field: str, build: Any) -> None:
    """Before any byte is sent."""
    with pytest.raises(TaskError) as refused:
        build()

    assert field == refused.value.field
