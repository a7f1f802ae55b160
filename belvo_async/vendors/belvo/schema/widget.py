"""The token with which a page of Belvo's, the Hosted Widget, connects a taxpayer or repairs a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from ....abc import Call, Secret
from ....discreet import discreet
from ....errors import TaskError
from .calls import check_form, check_stale_in, check_storage, check_what_is_fetched
from .checks import Resource, check_flag, fix_link, resource_names

# "Must be sent exactly as shown" (reference of the token); the longer one is that of the page on the update mode.
CONNECT_SCOPES: Final = "read_institutions,write_links"
UPDATE_SCOPES: Final = "read_institutions,write_links,read_links"

_ADDRESS: Final = re.compile(r"https?://[^\s/]\S*")
# An app is gone back to by a link of its own: `your_deeplink_here://success`.
_BACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+.-]*:\S+")
_COLOR: Final = re.compile(r"#(?:[0-9A-Fa-f]{3,4}){1,2}")
_CSS_KEY: Final = re.compile(r"--[A-Za-z0-9_-]+")
_SCOPES: Final = re.compile(r"[a-z_]+(?:,[a-z_]+)*")
_TEXT: Final = re.compile(r".*\S.*", re.DOTALL)

_Rule: TypeAlias = tuple[re.Pattern[str], str]
_IS_TEXT: Final[_Rule] = (_TEXT, "be text that is not empty")
_IS_ADDRESS: Final[_Rule] = (_ADDRESS, "be an address like https://acme.mx/logo.svg")
_IS_BACK: Final[_Rule] = (_BACK, "be an address or a deep link, like myapp://success")
_IS_COLOR: Final[_Rule] = (_COLOR, "be a color like #907AD6")
_IS_CSS_KEY: Final[_Rule] = (_CSS_KEY, "be a variable of CSS, like --color-primary-base")
_NONE: Final[Mapping[str, _Rule]] = {}


def _check(part: msgspec.Struct, rules: Mapping[str, _Rule], optional: Mapping[str, _Rule] = _NONE) -> None:
    """Hold each field against its rule, an optional one where it is given."""
    given = {name: rule for name, rule in optional.items() if getattr(part, name) is not None}
    for name, (form, rule) in {**rules, **given}.items():
        value = getattr(part, name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise TaskError(f"{name} must {rule}", field=name)


def _check_kind(given: object, kind: type[msgspec.Struct], *, field: str) -> None:
    if not isinstance(given, kind):
        raise TaskError(f"{field} must be of belvo.{kind.__name__}", field=field)


class CallbackUrls(msgspec.Struct, frozen=True, kw_only=True):
    """Where the taxpayer is sent from the Hosted Widget: connected, left before, or met an error."""

    success: str
    exit: str
    event: str

    @discreet
    def __post_init__(self) -> None:
        _check(self, dict.fromkeys(("success", "exit", "event"), _IS_BACK))


class Branding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks for the data, as the taxpayer sees it. `social_proof` False hides how many others are connected."""

    company_icon: str
    company_logo: str
    company_name: str
    company_terms_url: str
    company_terms_version: str | None = None
    overlay_background_color: str | None = None
    social_proof: bool | None = None

    @discreet
    def __post_init__(self) -> None:
        addresses = dict.fromkeys(("company_icon", "company_logo", "company_terms_url"), _IS_ADDRESS)
        optional = {"company_terms_version": _IS_TEXT, "overlay_background_color": _IS_COLOR}
        _check(self, {**addresses, "company_name": _IS_TEXT}, optional)
        if self.social_proof is not None:
            check_flag(self.social_proof, field="social_proof")


class ThemeColor(msgspec.Struct, frozen=True, kw_only=True):
    """One color of the widget: `css_key` is `--color-primary-base`, `--nav-bar-title-color`, `--nav-bar-icon-color`."""

    css_key: str
    value: str

    @discreet
    def __post_init__(self) -> None:
        _check(self, {"css_key": _IS_CSS_KEY, "value": _IS_COLOR})


class Widget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the Hosted Widget looks, and where it leads. `callback_urls` are needed where it is hosted by Belvo."""

    branding: Branding
    callback_urls: CallbackUrls | None = None
    theme: Sequence[ThemeColor] = ()

    @discreet
    def __post_init__(self) -> None:
        _check_kind(self.branding, Branding, field="branding")
        if self.callback_urls is not None:
            _check_kind(self.callback_urls, CallbackUrls, field="callback_urls")
        force_setattr(self, "theme", _theme(self.theme))


def _theme(given: object) -> tuple[object, ...]:
    theme = tuple(cast("Sequence[object]", given)) if isinstance(given, Sequence) else (given,)
    for each in theme:
        _check_kind(each, ThemeColor, field="theme")
    return theme


class WidgetToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the widget is started with: `access`, good for ten minutes and for one connection.

    Whoever holds it can connect a link to this account: hand `access.reveal()` to the taxpayer's browser and nobody
    else. Neither shows in a repr, and neither can be pickled or encoded.
    """

    access: Secret
    refresh: Secret | None = None


class CreateWidgetToken(Call[WidgetToken], frozen=True, kw_only=True):
    """Get a token for the Connect Widget, in which the taxpayer types the CIEC to Belvo alone: POST /api/token/.

    For a new link, Belvo requires `fetch_resources` (what the link fetches at once), `stale_in` (`90d`: how long data
    that is not updated is kept) and `widget`; `credentials_storage` is `store`, `nostore` or `1d` to `365d`. With
    `link`, the widget asks for that link's new password or token instead (update mode), and none of these is needed.
    The keys of the account, which this request has in its body, are added by the library; `scopes` are Belvo's own for
    either case. Nothing is created at Belvo before the taxpayer has connected. Raises TaskError naming the field.
    """

    fetch_resources: Sequence[Resource] | None = None
    stale_in: str | None = None
    widget: Widget | None = None
    credentials_storage: str | None = None
    link: str | None = None
    scopes: str | None = None

    @discreet
    def __post_init__(self) -> None:
        if self.link is not None:
            fix_link(self)  # type: ignore[arg-type]  # it is given
        self._check_completeness()
        if self.fetch_resources is not None:
            force_setattr(self, "fetch_resources", resource_names(self.fetch_resources, field="fetch_resources"))
        check_stale_in(self.stale_in)
        check_storage(self.credentials_storage)
        check_what_is_fetched(self)
        if self.widget is not None:
            _check_kind(self.widget, Widget, field="widget")
        if self.scopes is None:
            force_setattr(self, "scopes", CONNECT_SCOPES if self.link is None else UPDATE_SCOPES)
        check_form(_SCOPES, self.scopes, field="scopes", rule=f"be names parted by commas, like {CONNECT_SCOPES}")

    def _check_completeness(self) -> None:
        for name in ("fetch_resources", "stale_in", "widget"):
            if self.link is None and getattr(self, name) is None:
                raise TaskError(
                    f"{name} is required by Belvo, unless the token is for a link that is there", field=name
                )
