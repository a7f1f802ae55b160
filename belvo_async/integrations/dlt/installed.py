"""The packages of the extra, loaded when first used."""

from __future__ import annotations

import importlib
from typing import Any, Final

from ...errors import ConfigurationError

_EXTRA: Final = "a mirror needs `pip install 'belvo-async[dlt]'`"


def load(module: str) -> Any:
    """A module of the extra; ConfigurationError without it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigurationError(_EXTRA) from error
