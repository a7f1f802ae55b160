"""A local Belvo and a local Syntage over real HTTP, for tests and demonstrations.

Written from the vendors' public pages alone and independent of the rest of the package, so that a
mistake of the client cannot be repeated here. Any client of either vendor can be pointed at it.
"""

from belvo_async.simulator.belvo import BelvoSimulator
from belvo_async.simulator.faults import Faults
from belvo_async.simulator.syntage import SyntageSimulator
from belvo_async.simulator.wire import Delivery, Json, SeenRequest

__all__ = ["BelvoSimulator", "Delivery", "Faults", "Json", "SeenRequest", "SyntageSimulator"]
