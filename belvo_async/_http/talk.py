"""Whole answers, and the driver of conversations."""

from __future__ import annotations

from contextlib import closing
from typing import TypeVar

from ..abc import Answer, Conversation, Request
from ..errors import PayloadError, TransportError
from .client import Send

T = TypeVar("T")


async def ask(send: Send, request: Request) -> Answer:
    """Send one request and read its whole, small answer. Raises TransportError or PayloadError when there is none."""
    async with send(request) as response:
        return await response.answer()


async def converse(send: Send, conversation: Conversation[T]) -> T:
    """Drive a conversation to its end and return what it learned.

    A request without a readable answer raises inside the generator, which may go on from it; else it comes out here.
    """
    with closing(conversation):
        try:
            request = next(conversation)
            while True:
                try:
                    answer = await ask(send, request)
                except (TransportError, PayloadError) as failure:
                    request = conversation.throw(failure)
                else:
                    request = conversation.send(answer)
        except StopIteration as end:
            learned: T = end.value
            return learned
