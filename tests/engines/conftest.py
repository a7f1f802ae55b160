"""Both vendors on loopback under virtual time, for what needs no engine's server."""

from tests.session.world import world

__all__ = ["world"]
