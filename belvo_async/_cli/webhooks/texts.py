"""What the help of `belvo-async webhooks` says."""

from __future__ import annotations

from typing import Final

from ..codes import Code, in_words
from ..texts import DONE, Text

_ENDED: Final = (Code.WHOLE, Code.FAILED, Code.WRONG, Code.PARTIAL, Code.DECIDE, Code.INTERRUPTED)
WEBHOOKS: Final = Text(
    """\
Shows and changes where a vendor sends its webhooks, and what became of each attempt to deliver.
Syntage has an API for that; Belvo's are set up in its dashboard. Which account: --account of the
file, or the usual variables. No secret is printed unless `--show-secret` asks for it.""",
    f"""\
examples:
  belvo-async webhooks create --url https://example.com/webhooks/syntage --secret-file syntage.secret
  belvo-async webhooks test
  belvo-async webhooks requests --failed
  belvo-async webhooks rotate --secret-file syntage-new.secret

{DONE} `rotate` and `test` have more: see there.""",
)
LIST: Final = Text(
    """\
Lists the endpoints of an account: address, whether enabled, for which events, and whether their
secret is one of ours (the variable of the secrets holds it). What keeps deliveries from coming to
our receiver is said below: no endpoint, a disabled one, events that are missing, an unknown
secret.""",
    f"""\
examples:
  belvo-async webhooks list
  belvo-async webhooks list --format json | jq 'select(.secret == "ours")'

{DONE}""",
)
CREATE: Final = Text(
    """\
Makes an endpoint, for the events a session lives by unless others are named, and hands its signing
secret over: into a new file that only its owner reads, or on stdout. Given again after it broke
off, it finds what it made and hands that secret over.""",
    f"""\
examples:
  belvo-async webhooks create --url https://example.com/webhooks/syntage --secret-file syntage.secret
  SYNTAGE_WEBHOOK_SECRET=$(cat syntage.secret) belvo-async serve

{DONE}""",
)
CHANGE: Final = Text(
    """\
Enables or disables an endpoint, or gives it other events; its address and its secret stay.""",
    f"""\
examples:
  belvo-async webhooks change 0195f6c2 --enable
  belvo-async webhooks change 0195f6c2 --event extraction.updated --event export.updated

{DONE}""",
)
ROTATE: Final = Text(
    """\
Changes the signing secret without a delivery that is refused. Syntage has no call for it, so that
it takes two endpoints and two turns of this command:

  1. a second endpoint is made for the same address and events, disabled; its secret is handed over
     - now every receiver is to take both: SYNTAGE_WEBHOOK_SECRET=OLD,NEW, and is restarted -
  2. given again, a signed event of ours is sent to the address: the new secret must be taken
  3. the new endpoint is enabled
  4. the old one is deleted, unless a delivery of Syntage's by the new one was not taken

It may break off anywhere: how far it went is read from the endpoints themselves, and the same
command goes on. Endpoints of other addresses are left alone. From where the address cannot be
reached, --unprobed enables the new endpoint unseen, and deletes the old one only once Syntage has
delivered by the new.""",
    "examples:\n  belvo-async webhooks rotate --secret-file syntage-new.secret\n"
    "  belvo-async webhooks rotate 0195f6c2 --secret-file syntage-new.secret\n\n"
    + in_words(
        [each for each in _ENDED if each is not Code.DECIDE],
        WHOLE="done: one endpoint is left, with the new secret",
        PARTIAL="do what it says, and give the same command again",
        INTERRUPTED="interrupted by Ctrl-C: the same command goes on",
    ),
)
TEST: Final = Text(
    """\
Sends a signed event to the address of an endpoint, from this machine and as Syntage would: with its
secret, and three seconds to answer. It is about nothing, and no job is touched. That it is taken
proves that the address leads to a receiver that knows the secret; that Syntage reaches it, only
Syntage's own attempts can tell: what it recorded of them is printed below.""",
    "examples:\n  belvo-async webhooks test\n  belvo-async webhooks test 0195f6c2\n\n"
    + in_words(
        [each for each in _ENDED if each is not Code.PARTIAL],
        WHOLE="taken, and the endpoint is enabled",
        DECIDE="not taken, or the endpoint is disabled",
        INTERRUPTED="interrupted by Ctrl-C",
    ),
)
REQUESTS: Final = Text(
    """\
Lists the attempts to deliver that the vendor recorded: those that failed first, then the others,
the newest first. `nobody`: no answer came within the vendor's patience, or no connection. Which
event it was Syntage does not tell; --event asks for those of one kind.""",
    f"""\
examples:
  belvo-async webhooks requests --failed
  belvo-async webhooks requests --event extraction.updated --limit 500 --format json | jq .status

{DONE}""",
)
DELETE: Final = Text(
    """\
Deletes an endpoint: nothing is delivered to it any more. One whose secret is none of ours may be
somebody else's, and is deleted only with --foreign.""",
    f"""\
examples:
  belvo-async webhooks delete 0195f6c2

{DONE}""",
)
