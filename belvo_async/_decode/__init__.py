"""A page's bytes in, typed records out."""

from .codec import Batch, Odd
from .reader import PageReader

__all__ = ["Batch", "Odd", "PageReader"]
