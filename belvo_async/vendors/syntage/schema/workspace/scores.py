"""The Syntage Score of a company: its calculation is started here, and read with the insights."""

from __future__ import annotations

from typing import ClassVar

from ..forms.requests import OneRequest


class CalculateSyntageScore(OneRequest[None], frozen=True, kw_only=True):
    """`POST /entities/{entity}/datasources/syntage/score/calculate`: start it; the score appears some time later.

    The company's annual tax returns and tax compliance must have been extracted, and no extraction of them be under
    way: VendorError with the code `unprocessable` otherwise, and where the score exists already.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/entities/{entity}/datasources/syntage/score/calculate"

    entity: str
