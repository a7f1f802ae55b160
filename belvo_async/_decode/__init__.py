"""A page's bytes in, typed records out."""

from .reader import PageReader
from .records import Batch

__all__ = ["Batch", "PageReader"]
