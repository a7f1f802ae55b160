"""What is logged of an observation: never what a vendor said, but for a word of its own."""

from __future__ import annotations

import logging
import re
from typing import Final

from ..jobs import GivenUp, Job, Observation, Seen, Verdict
from .context import log

# A vendor's word is shown only where it can be no taxpayer's id: those have digits.
_WORD: Final = re.compile(r"[A-Za-z_-]{1,40}")


def tell(job: Job, seen: Observation, verdict: Verdict) -> None:
    """Log what became of an observation."""
    # What nobody reads is not put together: this is the way of every observation.
    level = _level(job, seen, verdict)
    if not log.isEnabledFor(level):
        return
    facts = {"job": job.id, "vendor": job.vendor, "way": str(seen.way), "verdict": str(verdict)}
    log.debug("an observation was reconciled", extra=facts | {"status": str(job.status)})
    if verdict is Verdict.CONFLICTING:
        text = "an observation contradicts what is known (it says %s, the job is %s); kept aside"
        log.warning(text, seen.status or "nothing", job.status, extra=facts)
    elif verdict is Verdict.ADVANCED and job.status.is_terminal:
        code = f" ({job.failure.code})" if job.failure else ""
        log.info("a job ended: it is %s%s", job.status, code, extra=facts | {"status": str(job.status)})
    elif job.is_unconfirmed and isinstance(seen, GivenUp):
        log.warning("nothing tells how a job ended, and nothing speaks for success; it is given up", extra=facts)
    elif isinstance(seen, Seen) and seen.is_unknown_word:
        word = seen.vendor_status if _WORD.fullmatch(seen.vendor_status or "") else "more than a word"
        log.warning("the vendor used a status word that is not known (%s); the job stays open", word, extra=facts)


def _level(job: Job, seen: Observation, verdict: Verdict) -> int:
    """How much an observation is worth telling."""
    if verdict is Verdict.CONFLICTING or (isinstance(seen, Seen) and seen.is_unknown_word):
        return logging.WARNING
    if job.is_unconfirmed and isinstance(seen, GivenUp):
        return logging.WARNING
    return logging.INFO if verdict is Verdict.ADVANCED and job.status.is_terminal else logging.DEBUG
