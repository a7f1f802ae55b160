"""The file `belvo-async.toml`: accounts, store, plans, prices and outputs; never a secret."""

from .file import AccountEntry, Config, PlanEntry, SubjectsFile, read_config
from .reading import (
    CONFIG_FILE,
    UNNAMED,
    config_at,
    period_in,
    plans_named,
    prefix,
    prices_at,
    subjects_in,
    vendor_in,
)

__all__ = [
    "CONFIG_FILE",
    "UNNAMED",
    "AccountEntry",
    "Config",
    "PlanEntry",
    "SubjectsFile",
    "config_at",
    "period_in",
    "plans_named",
    "prefix",
    "prices_at",
    "read_config",
    "subjects_in",
    "vendor_in",
]
