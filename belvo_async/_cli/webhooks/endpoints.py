"""`belvo-async webhooks create`, `change`, `test` and `delete`: one endpoint."""

from __future__ import annotations

import argparse
from datetime import datetime

from ..._session.hooks.desk import WebhookProbe
from ...abc import AttemptFilter, Clock, DeliveryAttempt, HookEndpoint
from ...errors import ConfigurationError
from ...origins import shown_url
from ...planning.outlook import in_words
from ..codes import Code
from ..plans.accounts import Environ
from ..words import counted
from .account import HookAccount, opened
from .listing import answer_of
from .secret_file import SecretOutlet


async def create(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Make an endpoint and hand its secret over. One that is there just so is taken for it: the answer may be lost."""
    outlet = SecretOutlet(place=options.secret_file)
    async with opened(options, environ, clock) as account:
        url, wanted = account.url_of(options), account.events_of(options) or account.desk.managed.needed
        existing = await account.desk.endpoints(url)
        if existing:
            endpoint = _just_so(existing, wanted, url, is_enabled=not options.disabled)
            did = "was there already"
        else:
            outlet.check_free()
            endpoint = await account.desk.create(url, wanted, is_enabled=not options.disabled)
            did = "is made"
        print(f"the endpoint {endpoint.id} for {shown_url(url)} {did}{_pause(endpoint)}")
        for line in outlet.give(endpoint, account.secrets_in):
            print(line)
    return Code.WHOLE


def _pause(endpoint: HookEndpoint) -> str:
    return "" if endpoint.is_enabled else f", disabled: `belvo-async webhooks change {endpoint.id} --enable`"


def _just_so(
    existing: tuple[HookEndpoint, ...], wanted: tuple[str, ...], url: str, *, is_enabled: bool
) -> HookEndpoint:
    found = existing[0]
    if len(existing) > 1 or {*found.events} != {*wanted} or found.is_enabled is not is_enabled:
        ids = ", ".join(each.id for each in existing)
        raise ConfigurationError(
            f"{shown_url(url)} is the address of {ids} already, and not just so: `belvo-async webhooks change` gives "
            "it other events, `rotate` another secret"
        )
    return found


async def change(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Enable or disable an endpoint, or give it other events."""
    if options.enable is None and not options.event:
        raise ConfigurationError("change what? --enable, --disable, or --event NAME")
    async with opened(options, environ, clock) as account:
        endpoint = await account.endpoint(options)
        made = await account.desk.change(endpoint, is_enabled=options.enable, events=account.events_of(options) or None)
    events = " ".join(made.events)
    print(f"the endpoint {made.id} is {'enabled' if made.is_enabled else 'disabled'}, for {events}")
    return Code.WHOLE


async def delete(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Delete an endpoint that is ours: whose secret we hold. One of somebody else's only when it is said."""
    async with opened(options, environ, clock) as account:
        endpoint = await account.endpoint(options)
        is_ours = endpoint.secret is not None and account.desk.managed.knows(endpoint.secret)
        if not (is_ours or options.foreign):
            raise ConfigurationError(
                f"{account.secrets_in} does not hold the secret of {endpoint.id}: it may be somebody else's, and is "
                "left alone; --foreign deletes it all the same"
            )
        await account.desk.delete(endpoint)
    print(f"the endpoint {endpoint.id} for {shown_url(endpoint.url)} is deleted")
    return Code.WHOLE


async def try_out(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Send a delivery of our own to an endpoint's address, and say what the vendor recorded of its own."""
    async with opened(options, environ, clock) as account:
        endpoint = await account.endpoint(options)
        probe = await account.desk.probe(endpoint)
        found = await account.desk.attempts(AttemptFilter(url=endpoint.url))
        mine = [each for each in found if each.endpoint in (None, endpoint.id)]
        print(f"endpoint  {endpoint.id} for {shown_url(endpoint.url)}{_pause(endpoint)}")
        print(f"our own   {probed(probe, account)}")
        print(f"{account.vendor.lower():9} {recorded(mine, account.vendor, clock.now())}")
    return Code.WHOLE if probe.is_accepted and endpoint.is_enabled else Code.DECIDE


def probed(probe: WebhookProbe, account: HookAccount) -> str:
    """What a delivery of our own, sent from here, tells."""
    if probe.is_accepted:
        return f"a signed event was sent from here and taken ({probe.status}): the receiver knows this secret"
    if not probe.status:
        return f"a signed event was sent from here, and nobody answered: {probe.why}"
    if probe.status == 401:
        return (
            f"a signed event was sent from here and refused (401): does {account.secrets_in} of the receiver hold it?"
        )
    return f"a signed event was sent from here and not taken ({probe.status}): does the address lead to a receiver?"


def recorded(attempts: list[DeliveryAttempt], vendor: str, now: datetime) -> str:
    """What the vendor's own attempts came to: the newest hundred of them."""
    if not attempts:
        return f"{vendor} recorded no attempt yet: it delivers when something happens, and has no call for a test"
    last, failed = attempts[0], sum(not each.is_accepted for each in attempts)
    ago = "" if last.at is None else f", {in_words(now - last.at)} ago"
    said = "was answered by nobody" if not last.status else f"was answered {answer_of(last)}"
    return f"of its last {counted(len(attempts), 'attempt')} {failed} failed; the last {said}{ago}"
