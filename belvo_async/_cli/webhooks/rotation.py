"""`belvo-async webhooks rotate`: another signing secret, without a delivery that is refused.

Without a call for it, a vendor gives a new secret only with a new endpoint. So a second one is made for the same
address and events, disabled; once the receivers take both secrets it is proven, enabled, and the first one deleted.
How far it went is read from the vendor's own list each time, so that it may break off anywhere and be begun again.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from ...abc import AttemptFilter, Clock, HookEndpoint
from ...errors import ConfigurationError
from ...origins import shown_url
from ..codes import Code
from ..plans.accounts import Environ
from .account import HookAccount, opened
from .endpoints import probed
from .secret_file import SecretOutlet


class Pair(NamedTuple):
    """The endpoint whose secret is to go, and the one that takes its place; None while that is yet to be made."""

    old: HookEndpoint
    new: HookEndpoint | None


async def rotate(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Take the next steps towards another secret; PARTIAL while somebody has to do something in between."""
    outlet = SecretOutlet(place=options.secret_file)
    async with opened(options, environ, clock) as account:
        named = None if options.id is None else await account.endpoint(options)
        url = account.url_of(options) if named is None else named.url
        pair = pair_of(await account.desk.endpoints(url), url)
        if named is not None and pair.old.id != named.id:
            raise ConfigurationError(
                f"{named.id} is the newer of two of that address, and would take the place of {pair.old.id}: name that "
                "one to go on; or `delete` it first, should it be of no use, to change the secret of the newer"
            )
        if pair.new is None:
            return await _begin(account, pair.old, outlet)
        return await _go_on(account, pair.old, pair.new, outlet, is_probed=not options.unprobed)


def pair_of(endpoints: tuple[HookEndpoint, ...], url: str) -> Pair:
    """Which of an address's endpoints goes and which stays: the newer. Raises ConfigurationError for other numbers."""
    if not endpoints:
        raise ConfigurationError(
            f"no endpoint has the address {shown_url(url)}: `belvo-async webhooks list` shows them"
        )
    if len(endpoints) == 1:
        return Pair(endpoints[0], None)
    old, new, *more = endpoints
    if more:
        ids = ", ".join(each.id for each in endpoints)
        raise ConfigurationError(f"{len(endpoints)} endpoints have that address: {ids}; delete what nobody needs first")
    if not {*old.events} <= {*new.events}:
        raise ConfigurationError(
            f"{old.id} and {new.id} have that address for different events, so that neither replaces the other"
        )
    return Pair(old, new)


async def _begin(account: HookAccount, old: HookEndpoint, outlet: SecretOutlet) -> int:
    if outlet.holds(old.secret):
        print(f"done: {outlet.place} holds the secret of {old.id}, the only endpoint of the address")
        print(f"take every other secret out of {account.secrets_in}")
        return Code.WHOLE
    outlet.check_free()
    new = await account.desk.create(old.url, old.events, is_enabled=False, content_type=old.content_type)
    print(f"1. {new.id} is made beside {old.id}, for the same address and events; it is disabled yet")
    _hand_over(account, new, outlet)
    return _wait_for_receivers(account)


async def _go_on(
    account: HookAccount, old: HookEndpoint, new: HookEndpoint, outlet: SecretOutlet, *, is_probed: bool
) -> int:
    print(f"1. {new.id} was made beside {old.id}, for the same address")
    _hand_over(account, new, outlet)
    if is_probed:
        probe = await account.desk.probe(new)
        print(f"2. {probed(probe, account)}")
        if not probe.is_accepted:
            return _wait_for_receivers(account)
    if old.is_enabled and not new.is_enabled:
        new = await account.desk.change(new, is_enabled=True)
        if not _does_as(new, old):
            print(f"{new.id} was to be enabled, and {account.vendor} says that it is not yet: nothing is deleted")
            print("see `belvo-async webhooks list`, then give the same command again")
            return Code.PARTIAL
        print(f"3. {new.id} is enabled: both deliver, and what comes twice is taken once")
    if not await _is_proven(account, new, is_probed=is_probed):
        return Code.PARTIAL
    await account.desk.delete(old)
    print(f"4. {old.id} is deleted")
    print(f"done: take its secret out of {account.secrets_in}, and restart the receivers when it suits")
    return Code.WHOLE


def _does_as(new: HookEndpoint, old: HookEndpoint) -> bool:
    """Whether an endpoint delivers all that the other does, by what its vendor says."""
    return new.is_enabled and {*old.events} <= {*new.events}


def _hand_over(account: HookAccount, new: HookEndpoint, outlet: SecretOutlet) -> None:
    for line in outlet.give(new, account.secrets_in):
        print(line)


def _wait_for_receivers(account: HookAccount) -> int:
    print(
        f"now let every receiver take both: {account.secrets_in} holds the old and the new secret, parted by a comma; "
        "restart them, then give the same command again"
    )
    return Code.PARTIAL


async def _is_proven(account: HookAccount, new: HookEndpoint, *, is_probed: bool) -> bool:
    """Whether the old endpoint may go. The vendor's own deliveries count most; without any, one of ours from here."""
    found = await account.desk.attempts(AttemptFilter(url=new.url))
    mine = [each for each in found if each.endpoint == new.id]
    if mine and not mine[0].is_accepted:
        print(f"{account.vendor}'s last delivery by {new.id} was not taken ({mine[0].status}): nothing is deleted")
        print("see `belvo-async webhooks requests`, then give the same command again")
        return False
    if not mine and not is_probed:
        print(f"{account.vendor} has delivered nothing by {new.id} yet: give the same command again when it has")
        return False
    return True
