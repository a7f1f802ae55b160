"""What the proxy says against the simulators' answers, and is right as it is: each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Accepted:
    """Faults of a vendor that are none: by the operation, and by the words of the proxy. Both are patterns."""

    vendor: str
    operation: str
    fault: str
    reason: str

    def fits(self, vendor: str, operation: str, fault: str) -> bool:
        """Whether a fault is of this kind."""
        return (
            vendor == self.vendor
            and re.fullmatch(self.operation, operation) is not None
            and re.fullmatch(self.fault, fault) is not None
        )


def _null(operation: str, *fields: str) -> Accepted:
    """Null in the place of what has not come to be, or does not exist; the official samples have it there, too."""
    names = "|".join(map(re.escape, fields))
    return Accepted(
        "syntage", operation, rf"response\.body\.(?:.*\.)?(?:{names}): .* must be (?:string|object)", "null, as in life"
    )


ACCEPTED: Final = (
    Accepted(
        "belvo",
        "POST /api/financial-statements/",
        r"response: Unable to match the returned status code .*",
        "the document names the header that asks for a 202, and forgets the 202",
    ),
    _null(r"GET /entities", "credential"),
    # Marked as null by a format ("nullable") that no checker knows.
    _null(r"GET /entities/\{entityId\}/insights/risks", "blacklistStatus.value"),
    _null(r"GET /(?:entities/\{entityId\}/)?events(?:/\{id\})?", "source"),
    _null(r"POST /exports", "file"),
    _null(r"(?:GET|POST) /extractions(?:/\{id\})?", "rateLimitedAt"),
    _null(r"GET /(?:entities/\{entityId\}/)?tax-retentions(?:/\{id\})?", "curp"),
    _null(r"GET /(?:entities/\{entityId\}/)?tax-returns(?:/\{id\})?", "payment"),
    _null(r"GET /(?:entities/\{entityId\}/)?tax-status(?:/\{id\})?", "endDate"),
    Accepted(
        "syntage",
        r"GET /entities/\{entityId\}/insights/(?:financial-institutions|government-customers)",
        r"response\.body\.data\.\[\]\.transactions\.\[\]\.total: .* must (?:be integer|match format \"int32\")",
        "the document makes whole numbers of the months of a total that has cents",
    ),
    Accepted(
        "syntage",
        r"GET /files/\{id\}/download",
        r".*",
        "a redirect to the storage, which the proxy follows with the key, and is refused",
    ),
)
