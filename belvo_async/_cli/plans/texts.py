"""What the help of the commands about plans says."""

from __future__ import annotations

from typing import Final

from ..codes import Code, in_words
from ..texts import Text

_QUIET: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.INTERRUPTED, Code.TERMINATED)
_ESTIMATE: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.CAPPED, Code.INTERRUPTED)
_COVERAGE: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.PARTIAL, Code.DECIDE, Code.INTERRUPTED)
_CHANGES: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.PARTIAL, Code.INTERRUPTED, Code.TERMINATED)
_VERIFY: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.PARTIAL)
_FITS: Final = "all fits, and every day of the plan is proven"
# Of commands that fire nothing: no job goes on.
_BROKEN: Final = "interrupted by Ctrl-C"
_UNTOLD: Final = f"{_BROKEN}: the rest is told next time"
_MISSING: Final = "days are missing: extract asks for them"
_UNREAD: Final = "lists of some subjects could not be read: they are told next time"
_SHORT: Final = "all that is there fits, and not every day of the plan is proven"

WHICH: Final = """\
Plans are those of the file, all of them unless --plan names some; what is given here counts
before what the file says. With --vendor and --resource, the plan is that of the arguments alone."""
LIVE: Final = """\
The days in which more may come or change are asked again when their answers are older than this;
all others are asked once."""

EXTRACT: Final = Text(
    """\
Gets what plans want: the records of links or entities, of one resource, over a period. Asks for
what the store does not know yet, in the fewest requests that the vendor's limits allow, waits for
the jobs, and writes the rows of each as one part, whole or not at all.

Nothing is paid for twice: broken off by whatever, the same command goes on where it was, on any
machine of the store. Belvo tells an end by webhook only: run `belvo-async serve` beside this.""",
    f"""\
examples:
  belvo-async extract                                  all plans of belvo-async.toml
  belvo-async extract --plan invoices --max-cost 500
  belvo-async extract --vendor syntage --resource invoice --subjects all --from 2021 \\
      --to yesterday --into parquet:sat --store sqlite:jobs.db
  belvo-async links --status valid --format ids | belvo-async extract --vendor belvo \\
      --resource invoices --subjects - --from 2024 --to 2024 --into ndjson:sat

{in_words()}""",
)
LISTS: Final = """\
Beside what plans bring, lists are read, of the plans' subjects and accounts: from where the last
reading ended, where the vendor has a filter for that. All are, but those whose rows the plans bring,
unless some are named here."""
MIRROR: Final = Text(
    """\
Keeps a copy of what vendors hold in a database: what plans bring, as `extract` gets it, and lists.
Typed tables, one for each kind of record and for what it contains, and views over the invoices of
all vendors. What a record said before stays, with the time until when it said so.

Nothing is paid for twice, and rows that are there change nothing: broken off by whatever, the same
command goes on. Needs `pip install 'belvo-async[dlt]'`.""",
    f"""\
examples:
  belvo-async mirror duckdb:sat.duckdb --vendor syntage --resource invoice --subjects all --from 2021 \\
      --to yesterday --store sqlite:jobs.db
  belvo-async mirror postgresql://localhost/books --sync            every night, all plans of the file
  belvo-async mirror 'postgresql://localhost/books?schema=sat' --plan invoices --no-lists
  belvo-async mirror duckdb:sat.duckdb --lists tax_returns tax_statuses

{in_words()}""",
)
SYNC: Final = Text(
    """\
As `extract`, for every night: asks for what is new, and again for the days that may still change,
when what is known of them is old. Its period ends yesterday unless --to says otherwise, and begins
where the plan does: what was proven once costs nothing.""",
    f"""\
examples:
  belvo-async sync
  belvo-async sync --plan invoices --live-days 7 --open-months 1 --no-wait

{in_words()}""",
)
ESTIMATE: Final = Text(
    """\
Says what plans need before anything is sent: how many requests, what is known already, what it
costs by your price list and what cutting it by years would, and how long it lasts, by the jobs of
this store or, until there are twenty of them, by what the vendor says.""",
    f"""\
a price list (yours: contracts differ), for --prices or as [prices] in the file:
  currency = "MXN"
  belvo = 1.50
  [syntage]
  invoice = {{ low = 10, high = 23 }}

examples:
  belvo-async estimate --prices prices.toml
  belvo-async estimate --plan invoices --max-cost 500 --format json

{in_words(_ESTIMATE, WHOLE="done", CAPPED="it may cost more than --max-cost", INTERRUPTED=_BROKEN)}""",
)
COVERAGE: Final = Text(
    """\
Says what is known of each day that plans want: proven (a job that was asked after the day had ended
finished whole, by the vendor's word), partial, failed, missing or never asked; and lists the gaps.
Days are counted for each subject and direction. The axis is the plan's, so that what nobody ever
asked for shows. Asks the vendor for nothing, but for the list of subjects where a plan says "all".""",
    f"""\
examples:
  belvo-async coverage
  belvo-async coverage --plan invoices --format json | jq 'select(.known != "proven")'

{in_words(_COVERAGE, WHOLE="every day is proven", PARTIAL=_MISSING, INTERRUPTED=_BROKEN)}""",
)
CHANGES: Final = Text(
    """\
Tells what changed of the records of plans since it was told last: new, changed (and which fields),
cancelled, vanished, somebody on them put on SAT's list of article 69-B, an opinion of compliance
that turned negative, a taxpayer suspended. Values are compared by what they say: other spelling is
no change. Reads the vendor's lists, which costs nothing; run `sync` before it, so that days that
may still change are asked again. Its period ends yesterday unless --to says otherwise.

What is printed is struck out; broken off by whatever, the rest is told next time. The file holds
ids of records and digests, no contents.""",
    f"""\
examples:
  belvo-async changes --since changes.db --baseline
  belvo-async sync && belvo-async changes --since changes.db
  belvo-async changes --since changes.db --plan invoices --format json | jq 'select(.kind == "cancelled")'
  belvo-async changes --since changes.db --vendor belvo --resource tax_status --subjects all

{in_words(_CHANGES, WHOLE="told all there was", PARTIAL=_UNREAD, INTERRUPTED=_UNTOLD)}""",
)
VERIFY: Final = Text(
    """\
Recounts rows, ids and sums of exported files and holds them against a certificate. Needs no store,
no network and no keys: whoever has the files and the certificate can do it. Names the first thing
that does not fit.""",
    f"""\
examples:
  belvo-async verify certificate.json sat
  belvo-async verify certificate.json belvo-INVOICES.ndjson

{in_words(_VERIFY, WHOLE=_FITS, FAILED="it does not fit, or cannot be read", PARTIAL=_SHORT)}""",
)
LINKS: Final = Text(
    """\
Lists the links of a Belvo account: whose data can be asked for. The keys are those of the
environment (BELVO_SECRET_ID, BELVO_SECRET_PASSWORD), or of an account of the file.""",
    f"""\
examples:
  belvo-async links --status valid
  belvo-async links --status valid --format ids > links.txt

{in_words(_QUIET, WHOLE="done", INTERRUPTED=_BROKEN)}""",
)
ENTITIES: Final = Text(
    """\
Lists the entities of a Syntage account, and how their credential fares. The key is that of the
environment (SYNTAGE_API_KEY), or of an account of the file.""",
    f"""\
examples:
  belvo-async entities
  belvo-async entities --status invalid --taxpayers

{in_words(_QUIET, WHOLE="done", INTERRUPTED=_BROKEN)}""",
)
