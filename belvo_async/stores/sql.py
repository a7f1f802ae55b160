"""What both SQL stores say in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, LiteralString

from ..jobs import Status


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


# The statuses there are, and those that never change.
STATUSES: Final = _quoted(Status)
ENDED: Final = _quoted(status for status in Status if status.is_terminal)

# Whether no job could claim a row of `seen` now. Under OR, so that it is asked row by row and only as far as needed.
IS_STRANGE: LiteralString = """
    NOT (
        EXISTS (SELECT 1 FROM job WHERE job.account = seen.account AND job.remote_id = seen.remote_id)
        OR CASE WHEN seen.subject IS NULL THEN
            EXISTS (SELECT 1 FROM job WHERE job.account = seen.account AND job.subject IS NOT NULL)
        WHEN seen.claim IS NULL THEN
            EXISTS (SELECT 1 FROM job WHERE job.account = seen.account AND job.subject = seen.subject)
        ELSE
            EXISTS (
                SELECT 1 FROM job WHERE job.account = seen.account AND job.subject = seen.subject
                AND job.resource = seen.claim
            )
        END
    )
"""
# In which order strangers are looked for: reports first, then what was parked longest; and the newest first.
FIRST_TO_GO: LiteralString = "report DESC, number"
NEWEST_FIRST: LiteralString = "report, number DESC"
# Numbers of parked rows: of what most is kept of, those parked longest first.
CROWDED: LiteralString = """
    SELECT number FROM (
        SELECT number, count(*) OVER (PARTITION BY account, subject, claim) AS crowd FROM parked
    ) AS kept ORDER BY crowd DESC, number
"""

# What the views for outsiders tell, of the columns that they read from a document: `status`, `abandoned`, `partial`,
# `settled_by` and `attempted_at`. Of a document that cannot be read, nothing but the status is known.
# The words of `Job.state`.
STATE: Final = f"""
    CASE
        WHEN abandoned IS NULL THEN status
        WHEN status = 'submitting' AND attempted_at IS NULL THEN 'queued'
        WHEN status IN ({ENDED}) OR NOT abandoned THEN status
        WHEN settled_by = 'inference' THEN 'unconfirmed'
        ELSE 'abandoned'
    END
"""
# What a job says of its days, as `planning.cover` has it; of those that are proven only the ones that had ended.
WHAT: Final = """
    CASE
        WHEN status = 'finished' AND NOT partial AND coalesce(settled_by, '') <> 'inference' THEN 'proven'
        WHEN status = 'finished' THEN 'partial'
        WHEN status IN ('failed', 'rejected') THEN 'failed'
        WHEN status = 'stopped' OR abandoned THEN 'missing'
        ELSE 'open'
    END
"""
# Not of one that was withdrawn before a byte of it left: it asked for nothing.
WAS_ASKED: Final = """
    NOT (status = 'rejected' AND coalesce(settled_by, '') = 'user')
    AND NOT (abandoned AND status = 'submitting' AND attempted_at IS NULL)
"""
