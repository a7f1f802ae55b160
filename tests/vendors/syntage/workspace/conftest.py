"""Both vendors on loopback, as the tests of the session have them."""

from tests.session.world import world

__all__ = ["world"]
