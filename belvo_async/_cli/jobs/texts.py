"""What the help of `belvo-async jobs` says."""

from __future__ import annotations

from typing import Final

from ..codes import Code, in_words
from ..texts import DONE, Text

_QUIET: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.INTERRUPTED, Code.TERMINATED)
_FOLLOWED: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.PARTIAL, Code.DECIDE, Code.INTERRUPTED)
_OPEN: Final = "it is still under way, or finished with a part"
SHOW: Final = (
    "write delivery N of the list on stdout as it came, byte for byte. It holds taxpayer data: keep it out of logs, "
    "tickets and chats"
)
JOBS: Final = Text(
    """\
Looks into a store and tidies it. Needs no credentials, but for `resume`, `stop` and `explain
--online`, which talk to the vendor of a job.""",
    f"""\
examples:
  belvo-async jobs list --store sqlite:jobs.db
  belvo-async jobs explain 8b1aca82                    what became of one, and what to type
  belvo-async jobs stuck --older 2h                    for alerts

{DONE}""",
)
LIST: Final = Text(
    """\
Lists the open jobs of a store, oldest first: of whom, for which days, how they stand. Columns
that no job fills are left out. As JSON, each line is one job with all that may be shown of it.""",
    f"""\
examples:
  belvo-async jobs list
  belvo-async jobs list --tag tenant=acme
  belvo-async jobs list --all --format json | jq 'select(.partial) | {{task, retry_at}}'

{DONE}""",
)
STUCK: Final = Text(
    """\
Lists the open jobs that are older than an age: for alerts. `jobs explain` says what happened to
one.""",
    """\
examples:
  belvo-async jobs stuck --older 30m

exit codes: 0 there are none; 4 there are some; 1 failed, and why is on stderr; 2 wrong arguments;
130 interrupted by Ctrl-C; 141 nobody reads on (`| head`)""",
)
EXPLAIN: Final = Text(
    """\
Says in one sentence whether a job is on time, slow, stuck, empty or partial, against what such
jobs of this store took, and what to type. Then what was said of it, in order: when, by which way
(answer, webhook, poll, inference, or user: what was decided here), what. With --online its vendor
is asked, too, how often it tried to deliver its end, and what was answered; if it cannot be asked,
that is said.""",
    f"""\
examples:
  belvo-async jobs explain 8b1aca82
  belvo-async jobs explain 8b1aca82 --online           what Syntage recorded of its webhooks
  belvo-async jobs explain 8b1aca82 --format json | jq .why

{DONE}""",
)
ABANDON: Final = Text(
    """\
Gives an open job up: it is followed no longer, its waiters are told, the next job of its subject
is sent, and an equal task is started anew. Nothing changes at the vendor: the job may run and be
billed there, and the end that a late webhook tells still counts. One that was not sent yet is
withdrawn.""",
    f"""\
examples:
  belvo-async jobs abandon 8b1aca82

{DONE}""",
)
PRUNE: Final = Text(
    """\
Forgets the jobs that ended before an instant, with their timelines; asks nothing. Open jobs stay,
whatever their age, and so do those that were fired `once`, those that a consumer has yet to
acknowledge (`jobs consumers`), and what the others proved of their days. Nothing changes at the
vendors.""",
    f"""\
examples:
  belvo-async jobs prune --before 90d --dry-run
  belvo-async jobs prune --before 2026-01-31

{DONE}""",
)
ASIDE: Final = Text(
    """\
Lists the deliveries that were proven but could not be read: when each came, for which account,
how large it is. They are kept for thirty days, for whoever finds out why. Without --show nothing
of their content is printed.""",
    f"""\
examples:
  belvo-async jobs aside
  belvo-async jobs aside --show 1 > delivery.json

{DONE}""",
)
CONSUMERS: Final = Text(
    """\
Lists who is told of jobs that ended (`session.settled`), how many jobs each has yet to acknowledge,
and since when the oldest waits. Jobs that are waited for are not pruned. With --forget a consumer
that asks no more is forgotten, and what it acknowledged.""",
    f"""\
examples:
  belvo-async jobs consumers
  belvo-async jobs consumers --forget old-warehouse

{DONE}""",
)
ACCOUNTS: Final = Text(
    """\
Lists the accounts whose jobs the store holds, how many, how many deliveries are parked for them,
and whether a session that is open now serves them.""",
    f"""\
examples:
  belvo-async jobs accounts

{DONE}""",
)
MOVE: Final = Text(
    """\
Gives all jobs of an account, and the deliveries parked for it, to another account: after its key
was changed, or its name. Safe while sessions are open; give it again if it was broken off.
Nothing changes at the vendors.""",
    f"""\
examples:
  belvo-async jobs move --from https://api.syntage.com#3f2a91c07be4 --to acme --dry-run

{DONE}""",
)
RESTORED: Final = Text(
    """\
Says that the store was put back from a backup, for where it cannot notice that itself (see the
README, Stores): jobs that were queued then may have been sent since. They are looked for at the
vendors, and not sent.""",
    f"""\
examples:
  belvo-async jobs restored --store sqlite:jobs.db

{DONE}""",
)
RESUME: Final = Text(
    """\
Follows a job of the store to its end, and prints what is said of it. One that was given up is
adopted again. Needs the keys of its account. What it brings is written by `extract`.""",
    f"""\
examples:
  belvo-async jobs resume 8b1aca82 --wait 2h

{in_words(_FOLLOWED, WHOLE="it finished whole", PARTIAL=_OPEN, DECIDE="it ended otherwise")}""",
)
STOP: Final = Text(
    """\
Asks the vendor to end a job. Syntage can; Belvo has no such call, and `jobs abandon` gives a job
up here. Needs the keys of its account.""",
    f"""\
examples:
  belvo-async jobs stop 8b1aca82

{in_words(_QUIET, WHOLE="done", INTERRUPTED="interrupted by Ctrl-C")}""",
)
