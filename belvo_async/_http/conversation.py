"""Whole answers, and the driver of conversations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TypeVar

from ..abc import Answer, Conversation, Permit, Request, Retry, Urgency
from ..errors import PayloadError, TransportError
from .client import Send

T = TypeVar("T")


async def ask(send: Send, request: Request, permit: Permit | None = None) -> Answer:
    """Send one request and read its whole, small answer. Raises TransportError or PayloadError when there is none."""
    async with send(request) if permit is None else send(request, permit) as response:
        return await response.answer()


async def converse(send: Send, conversation: Conversation[T], *, permit: Permit | None = None) -> T:
    """Drive a conversation to its end and return what it learned.

    A request without a readable answer raises inside the generator, which may go on from it; else it comes out here.
    `permit` is asked before each request that starts work; what it raises ends the conversation.
    """
    with closing(conversation):
        try:
            request = next(conversation)
            while True:
                try:
                    answer = await ask(send, request, permit if request.retry is Retry.SUBMIT else None)
                except (TransportError, PayloadError) as failure:
                    request = conversation.throw(failure)
                else:
                    request = conversation.send(answer)
        except StopIteration as end:
            learned: T = end.value
            return learned


async def converse_by(
    sends: Mapping[Urgency, Send],
    conversation: Conversation[T],
    *,
    permit: Permit | None = None,
    urgency: Urgency = Urgency.INTERACTIVE,
) -> T:
    """`converse`, as urgently as is said each time."""
    return await converse(sends[urgency], conversation, permit=permit)
