"""Which vendors the environment configures: each reads its own variables, a new one is only a new folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import vendors
from ..abc import Plannable, PlanRules, Vendor
from ..errors import ConfigurationError
from ..jobs import Task


def configured_vendors(environ: Mapping[str, str]) -> list[Vendor]:
    """Make every vendor of which at least one required variable is set; ConfigurationError when there is none."""
    dialects = list(_dialects().values())
    chosen: list[Vendor] = [
        dialect.from_env(environ)
        for dialect in dialects
        if any(environ.get(variable) for variable in dialect.required_variables)
    ]
    if not chosen:
        needed = "; or ".join(" and ".join(dialect.required_variables) for dialect in dialects)
        raise ConfigurationError(f"no vendor is configured: set {needed}")
    return chosen


@dataclass(frozen=True, slots=True)
class KeylessVendor:
    """What is documented of a vendor's requests: enough to read a plan that is only looked at."""

    name: str
    plans: Mapping[str, PlanRules]

    def check(self, task: Task[Any], now: datetime) -> None:
        """Nothing is refused: nobody is asked."""


def keyless_vendors() -> Mapping[str, Plannable]:
    """Every vendor there is, without keys."""
    return {name: KeylessVendor(name, dialect.documented_plans) for name, dialect in _dialects().items()}


def _dialects() -> Mapping[str, Any]:
    return {each.name: importlib.import_module(f"{vendors.__name__}.{each.name}").DIALECT for each in _folders()}


def _folders() -> list[Any]:
    return [each for each in pkgutil.iter_modules(vendors.__path__) if each.ispkg]
