"""The file `belvo-async.toml`: accounts, store, plans, prices and outputs; never a secret."""

from .file import AccountEntry, Config, PlanEntry, SubjectsFile, read_config

__all__ = ["AccountEntry", "Config", "PlanEntry", "SubjectsFile", "read_config"]
