"""The one door for everything a vendor says, and the one timer that makes it say something."""

from .context import Converse
from .timer import Timer
from .tracker import Tracker
from .watch import Watch, closed_error

__all__ = ["Converse", "Timer", "Tracker", "Watch", "closed_error"]
