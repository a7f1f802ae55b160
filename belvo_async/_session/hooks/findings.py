"""What is wrong with the webhooks of an account, as far as its vendor's list of endpoints tells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ...abc import HookEndpoint, ManagedWebhooks, Vendor
from ...errors import UnsupportedError
from ...origins import shown_url


class WebhookFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps deliveries from coming or from being taken.

    `code` is `missing`, `disabled`, `unknown_secret` or `events`; `text` a sentence without a secret.
    """

    code: str
    text: str


def managed_of(vendor: Vendor) -> ManagedWebhooks | None:
    """What a vendor's API offers for its webhooks; None where it offers nothing."""
    found: ManagedWebhooks | None = getattr(vendor, "managed_webhooks", None)
    return found


def managed_or_refuse(vendor: Vendor) -> ManagedWebhooks:
    """What a vendor's API offers for its webhooks. Raises UnsupportedError where it offers nothing."""
    found = managed_of(vendor)
    if found is None:
        name = vendor.name.capitalize()
        raise UnsupportedError(f"{name} has no API for webhooks: they are set up in its dashboard, or by its support")
    return found


def find_faults(endpoints: Sequence[HookEndpoint], managed: ManagedWebhooks) -> tuple[WebhookFinding, ...]:
    """Judge the endpoints that deliver to this account's receiver.

    Those are the ones with its address or, where nobody said that, the ones whose secret is ours. While a secret is
    being changed there may be two: what one of them brings is enough.
    """
    return tuple(_faults(endpoints, managed))


def _faults(endpoints: Sequence[HookEndpoint], managed: ManagedWebhooks) -> Iterator[WebhookFinding]:
    url = managed.url
    ours = [each for each in endpoints if (each.url == url if url is not None else is_known(each, managed))]
    if not ours:
        yield WebhookFinding(code="missing", text=_missing(managed))
        return
    enabled = [each for each in ours if each.is_enabled]
    unknown = [each for each in enabled if not is_known(each, managed)]
    for each in unknown:
        text = (
            f"the endpoint {each.id} is signed by a secret that {managed.variable} does not hold: "
            "what it delivers is refused"
        )
        yield WebhookFinding(code="unknown_secret", text=text)
    good = [each for each in enabled if each not in unknown]
    if not enabled:
        yield WebhookFinding(code="disabled", text=f"the endpoint {ours[-1].id} is disabled: nothing is delivered")
    lacking = set(managed.needed).difference(*(each.events for each in good)) if good else set[str]()
    if lacking:
        text = f"the endpoint {good[-1].id} does not bring {' and '.join(sorted(lacking))}"
        yield WebhookFinding(code="events", text=text)


def is_known(endpoint: HookEndpoint, managed: ManagedWebhooks) -> bool:
    """Whether what an endpoint brings is taken. Of one whose secret is not told, nobody can say otherwise."""
    return managed.knows(endpoint.secret) if endpoint.secret is not None else managed.url is not None


def _missing(managed: ManagedWebhooks) -> str:
    if managed.url is None:
        return f"no endpoint is signed by a secret that {managed.variable} holds: nothing is delivered that is taken"
    return f"no endpoint has the address {shown_url(managed.url)}: nothing is delivered there"
