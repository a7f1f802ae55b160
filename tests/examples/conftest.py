"""The world these tests share: both vendors on loopback under virtual time."""

from tests.session.world import world

__all__ = ["world"]
