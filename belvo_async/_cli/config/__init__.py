"""The file `belvo-async.toml`: accounts, store, plans, prices and outputs; never a secret."""

from .file import Account, Config, PlanEntry, SubjectsFile, read_config

__all__ = ["Account", "Config", "PlanEntry", "SubjectsFile", "read_config"]
