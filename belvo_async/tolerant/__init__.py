"""What does not fit is read a second time: every lossless reading is taken, and what is lost is told."""

from .kinds import bare
from .misfits import Misfit, Misfits
from .nodes import UNFIT, Told
from .reader import Reread, Rereader, listening, read, rereader
from .rewrites import elements_of
from .texts import count_of, exact, text_of, whole_number

__all__ = [
    "UNFIT",
    "Misfit",
    "Misfits",
    "Reread",
    "Rereader",
    "Told",
    "bare",
    "count_of",
    "elements_of",
    "exact",
    "listening",
    "read",
    "rereader",
    "text_of",
    "whole_number",
]
