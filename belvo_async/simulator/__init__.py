"""A local Belvo and a local Syntage over real HTTP, for tests and demonstrations.

Written from the vendors' public pages alone and independent of the rest of the package, so that a
mistake of the client cannot be repeated here. Any client of either vendor can be pointed at it.
"""

from .belvo.simulator import BelvoSimulator
from .faults import Faults
from .syntage.simulator import SyntageSimulator
from .wire import Delivery, Json, SeenRequest

__all__ = ["BelvoSimulator", "Delivery", "Faults", "Json", "SeenRequest", "SyntageSimulator"]
