"""A page's bytes in, typed records out."""

from .reader import PageReader
from .records import Batch, Odd

__all__ = ["Batch", "Odd", "PageReader"]
