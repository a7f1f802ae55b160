"""Which vendors the environment configures: each reads its own variables, a new one is only a new folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from .. import vendors
from ..abc import Vendor
from ..errors import ConfigurationError


def configured_vendors(environ: Mapping[str, str]) -> list[Vendor]:
    """Make every vendor of which at least one required variable is set; ConfigurationError when there is none."""
    dialects = [importlib.import_module(f"{vendors.__name__}.{each.name}").DIALECT for each in _folders()]
    chosen: list[Vendor] = [
        dialect.from_env(environ)
        for dialect in dialects
        if any(environ.get(variable) for variable in dialect.required_variables)
    ]
    if not chosen:
        needed = "; or ".join(" and ".join(dialect.required_variables) for dialect in dialects)
        raise ConfigurationError(f"no vendor is configured: set {needed}")
    return chosen


def _folders() -> list[Any]:
    return [each for each in pkgutil.iter_modules(vendors.__path__) if each.ispkg]
