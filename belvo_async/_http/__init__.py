"""The only HTTP client: requests out, responses in. Knows no URLs, no payloads and no jobs."""

from __future__ import annotations

from .client import Http, Send
from .conversation import ask, converse, converse_by

__all__ = ["Http", "Send", "ask", "converse", "converse_by"]
