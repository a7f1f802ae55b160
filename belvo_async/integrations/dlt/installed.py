"""The packages of the extra, loaded when first used."""

from __future__ import annotations

import importlib
from contextlib import suppress
from functools import cache
from typing import Any, Final

from ...errors import ConfigurationError

# dlt asks these for their classes as soon as any thread has begun to import them, as pyarrow does on its own: half
# made, they have none, and the load would fail. Here they are waited for.
ASKED: Final = ("pandas", "polars")
_EXTRA: Final = "a mirror needs `pip install 'belvo-async[dlt]'`"


def load(module: str) -> Any:
    """A module of the extra; ConfigurationError without it."""
    try:
        import_whole()
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigurationError(_EXTRA) from error


@cache
def import_whole() -> None:
    for each in ASKED:
        with suppress(ImportError):
            importlib.import_module(each)
