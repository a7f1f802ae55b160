"""The small bodies around the records: what is accepted, refused and announced."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The body of 202: the request's id, in whichever spelling."""

    request_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the list Belvo answers errors with. Its message may hold names and is never shown."""

    code: str | None = None
    request_id: str | None = None
    field: str | None = None


class Worded(msgspec.Struct, frozen=True, kw_only=True):
    """The text of an error, for the one fact that stands nowhere else: how many minutes a refreshed link must rest."""

    message: str | None = None

    def __repr__(self) -> str:
        return "Worded(...)"


class TokenGeneration(msgspec.Struct, frozen=True, kw_only=True):
    """What the taxpayer is to do for a token."""

    instructions: str | None = None


class TokenDemand(msgspec.Struct, frozen=True, kw_only=True):
    """What 428 token_required tells beside its code; `expiry` is in seconds."""

    session: str | None = None
    expiry: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    link: str | None = None
    token_generation_data: TokenGeneration | None = None

    def __repr__(self) -> str:
        return "TokenDemand(...)"


class TokenGiven(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that holds the widget's token, before it is wrapped."""

    access: Annotated[str, msgspec.Meta(min_length=1)]
    refresh: str | None = None

    def __repr__(self) -> str:
        return "TokenGiven(...)"


_Word: TypeAlias = Annotated[str, msgspec.Meta(max_length=128)]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of every webhook (resources-webhooks-aggregation). Older pages show some keys missing or null."""

    webhook_id: _Word | None = None
    webhook_type: _Word | None = None
    process_type: _Word | None = None
    webhook_code: _Word | None = None
    link_id: _Word | None = None
    request_id: _Word | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
