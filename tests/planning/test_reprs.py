"""What is made of a plan names no taxpayer where it may be logged."""

from __future__ import annotations

from datetime import UTC, date, datetime

from belvo_async import Plan, Syntage
from belvo_async.planning import certify, cover, propose, settle_plan

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RFC = "XAXX010101000"


def test_no_taxpayer_shows_in_a_repr() -> None:
    """A subject in Syntage's deprecated form is an RFC."""
    wanted = Plan(
        vendor="syntage",
        resource="invoice",
        subjects=[f"/taxpayers/{RFC}"],
        first=date(2024, 1, 1),
        last=date(2024, 2, 1),
    )
    plan, rules = settle_plan(wanted, {"syntage": Syntage("a-key-of-a-test")}, NOW)
    coverage = cover(plan, [])
    proposal = propose(coverage, rules, NOW)
    certificate = certify(coverage, [], NOW)

    assert proposal.chunks
    for each in (wanted, plan, coverage, proposal, certificate, *coverage.cells, *proposal.chunks):
        assert RFC not in repr(each)
