"""Draws the facts as one HTML text."""

from .document import content_policy, render

__all__ = ["content_policy", "render"]
