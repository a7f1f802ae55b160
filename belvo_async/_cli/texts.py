"""What the help of the command says, and of those that run something."""

from __future__ import annotations

from typing import Final, NamedTuple


class Text(NamedTuple):
    """What a command does, and examples of it with its exit codes."""

    says: str
    examples: str


DONE: Final = """\
exit codes: 0 done; 1 failed, and why is on stderr; 2 wrong arguments; 130 interrupted by Ctrl-C;
141 nobody reads on (`| head`)."""
EXAMPLES: Final = f"""\
begin here:
  belvo-async demo                                     the whole story, without an account
  belvo-async estimate --vendor belvo --resource invoices --subjects all --from 2021 --to yesterday
  belvo-async extract --help                           what plans are, with examples

{DONE} The commands about plans have more: see there."""

DEMO: Final = Text(
    """\
Runs a local Belvo and a local Syntage on loopback, with webhooks and with faults: lost, late,
doubled and forged deliveries, lost answers, refused and broken requests. Fires 14 Belvo requests
and 6 Syntage extractions at them, writes the records to a file, and compares them with what the
two vendors hold. Then it prices a plan over three years, pays for the one that is missing,
exports it, recounts the export against its certificate, and writes the morning page.

Takes ten to fifteen seconds; no account is needed, nothing leaves this machine, and nothing stays
on it but the files you ask for.""",
    """\
examples:
  belvo-async demo
  belvo-async demo --keep demo                         keep export, certificate and page
  belvo-async demo --seed 7 --speed 300 | head -20

exit codes: 0 everything received equals what the vendors hold, the failed, stopped and uncertain
jobs showed as intended, and the plan is whole and fits; 1 not so, and why is said; 2 wrong
arguments; 130 interrupted by Ctrl-C; 141 nobody reads on""",
)
SIMULATE: Final = Text(
    """\
Runs a local Belvo and a local Syntage until Ctrl-C and prints how to reach them, for any client
in any language. The data is invented, the keys it prints open nothing else. In a container:
--host 0.0.0.0 and the three ports published under their own numbers (say --files-port 8803);
links to further pages and to files name the host the client asked for.""",
    f"""\
examples:
  belvo-async simulate
  belvo-async simulate --speed 100 --faults light --belvo-webhook http://localhost:8080/webhooks/belvo
  belvo-async simulate --openapi syntage > syntage.json

{DONE}""",
)
SERVE: Final = Text(
    """\
Receives webhooks into a store, so that receiver, workers and command line are separate processes:
whoever awaits a job, in any process on the same store, wakes. Serves POST PREFIX/belvo and
PREFIX/syntage, for the vendors whose variables are set (BELVO_SECRET_ID, BELVO_SECRET_PASSWORD,
BELVO_WEBHOOK_AUTH; SYNTAGE_API_KEY, SYNTAGE_WEBHOOK_SECRET), and GET /health: 200 while the store
answers, else 503. Put a proxy that speaks TLS in front of it. With --check-webhooks, Syntage is
asked first whether an endpoint leads here (SYNTAGE_WEBHOOK_URL) and is as it should be.""",
    """\
examples:
  belvo-async serve --store sqlite:jobs.db --port 8080
  belvo-async serve --store sqlite:jobs.db --check-webhooks refuse
  belvo-async serve --store postgresql://user@host/db --no-poll

exit codes: 0 stopped by SIGTERM; 1 could not serve (store, port or settings), and why is on
stderr; 2 wrong arguments; 130 interrupted by Ctrl-C; 141 nobody reads on""",
)
REPORT: Final = Text(
    """\
Writes the morning page: one HTML file without anything from elsewhere. Who is whole, what waits
for a person and what to type, each taxpayer by month, what came since yesterday, durations,
failures, webhooks. Reads the store; needs no credentials and asks no vendor, but with --online
what vendors recorded of their deliveries. Without plans it shows what was ever asked for. RFCs
are masked.""",
    f"""\
examples:
  belvo-async report --budget 20000
  belvo-async report --online                          with what Syntage says of its webhooks
  belvo-async report --plan nightly --out /srv/pages/nightly.html
  belvo-async report --format json --out - | jq .standing

{DONE}""",
)
UI: Final = Text(
    """\
Serves the morning page on loopback; it changes by itself when the store does. Nobody is asked who
they are: other addresses need --allow-remote, and a proxy that asks. Needs no credentials and
asks no vendor.""",
    f"""\
examples:
  belvo-async ui
  belvo-async ui --plan nightly --port 0

{DONE}""",
)
