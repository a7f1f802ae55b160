"""The vendors of the accounts that a command needs, from the environment; no others are asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ... import vendors
from ...abc import Vendor
from ...discreet import discreet
from ...errors import ConfigurationError
from ..config import AccountEntry

# Called where it is read, and by nobody else: whoever shows the variables of a traceback shows no secret.
Environ: TypeAlias = Callable[[], Mapping[str, str]]


@discreet
def vendor_of(account: AccountEntry, environ: Environ) -> Vendor:
    """Make an account's vendor. Raises ConfigurationError that names the variable which is missing or wrong."""
    dialect = _dialect(account.vendor)
    own = f"{account.vendor.upper()}_"
    prefix = own if account.env is None else f"{account.env.removesuffix('_')}_"
    variables = environ()
    given = {own + name.removeprefix(prefix): value for name, value in variables.items() if name.startswith(prefix)}
    for name, source in account.variables.items():
        given[name if name.startswith(own) else own + name] = variables.get(source, "")
    missing = [name for name in dialect.required_variables if not given.get(name, "").strip()]
    if missing:
        names = " and ".join(_source(account, name, own, prefix) for name in missing)
        raise ConfigurationError(f"{account.vendor} needs the environment variable{'s'[: len(missing) - 1]} {names}")
    try:
        vendor: Vendor = dialect.from_env(given)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace(own, prefix)) from None
    return vendor


def variable_of(account: AccountEntry, name: str) -> str:
    """What a variable of a vendor is called for an account."""
    own = f"{account.vendor.upper()}_"
    return _source(account, name, own, own if account.env is None else f"{account.env.removesuffix('_')}_")


def manages_webhooks(name: str) -> bool:
    """Whether a vendor's API tells of its webhooks; False for one that nobody knows."""
    return name in known_vendors() and hasattr(_dialect(name), "managed_webhooks")


def known_vendors() -> list[str]:
    """The names of all vendors."""
    return sorted(each.name for each in pkgutil.iter_modules(vendors.__path__) if each.ispkg)


def _dialect(name: str) -> Any:
    known = known_vendors()
    if name not in known:
        raise ConfigurationError(f"no vendor is called {name!r}: write {' or '.join(known)}")
    return importlib.import_module(f"{vendors.__name__}.{name}").DIALECT


def _source(account: AccountEntry, name: str, own: str, prefix: str) -> str:
    bare = name.removeprefix(own)
    return account.variables.get(name) or account.variables.get(bare) or prefix + bare
