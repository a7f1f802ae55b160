"""Plans that do not fit are refused before a byte is sent, naming what to mend; the others are read in one way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from belvo_async.errors import TaskError
from belvo_async.jobs import ISSUED, RECEIVED
from belvo_async.planning import Plan, check_apart, cover, propose, settle_plan
from tests.planning.kit import BOTH, ENTITIES, LINKS, NOW, TODAY, VENDORS, extent, job_for, settled

BELVO_PLAN: dict[str, Any] = {
    "vendor": "belvo",
    "subjects": LINKS[:1],
    "resource": "invoices",
    "first": date(2025, 1, 1),
    "last": date(2025, 12, 31),
}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vendor": "bancomer"}, "vendor"),
        ({"vendor": None}, "vendor"),
        ({"resource": "dreams"}, "resource"),
        ({"resource": 7}, "resource"),
        ({"subjects": []}, "subjects"),
        ({"subjects": LINKS[0]}, "subjects"),
        ({"subjects": [""]}, "subjects"),
        ({"subjects": [None]}, "subjects"),
        ({"subjects": ["no link!"]}, "subjects"),
        ({"first": None}, "first"),
        ({"last": None}, "last"),
        ({"first": None, "last": None}, "first"),
        ({"first": date(2026, 1, 1)}, "last"),
        ({"first": "2025-01-01"}, "first"),
        ({"last": datetime(2025, 12, 31, tzinfo=UTC)}, "last"),
        ({"last": date(2026, 6, 2)}, "last"),
        ({"last": date.max}, "last"),
        ({"directions": ["sideways"]}, "directions"),
        ({"directions": "issued"}, "directions"),
        ({"options": ["pdf"]}, "options"),
        ({"resource": "financial-statements"}, "first"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], field: str) -> None:
    """The field, in words; never the value."""
    with pytest.raises(TaskError) as caught:
        settle_plan(Plan(**BELVO_PLAN | changes), VENDORS, NOW)

    assert field == caught.value.field


def test_a_subject_is_never_shown() -> None:
    """One may be an RFC."""
    with pytest.raises(TaskError) as caught:
        settle_plan(Plan(**BELVO_PLAN | {"subjects": ["XAXX010101000 "]}), VENDORS, NOW)

    assert "XAXX" not in str(caught.value)
    assert "XAXX" not in repr(Plan(**BELVO_PLAN | {"subjects": ["XAXX010101000"]}))


def test_a_subject_in_several_spellings_is_one() -> None:
    """However an id was copied; whoever is named first is served first."""
    bare = LINKS[0].replace("-", "")

    plan = settled(subjects=[LINKS[1], bare, LINKS[0].upper(), LINKS[0], bare.upper()]).plan
    other = settled("syntage", subjects=[ENTITIES[0], LINKS[0].upper(), LINKS[0]]).plan

    assert (LINKS[1], LINKS[0]) == plan.subjects
    assert (ENTITIES[0],) == other.subjects


@pytest.mark.parametrize("resource", ["invoice", "INVOICE", "invoices", "Invoices"])
def test_a_resource_may_be_written_in_any_letters(resource: str) -> None:
    """And in plural."""
    assert "invoice" == settled("syntage", resource=resource).plan.resource


def test_directions_and_options_have_one_order() -> None:
    """None is all of them; each counts once."""
    assert BOTH == settled().plan.directions
    assert BOTH == settled(directions=[RECEIVED, ISSUED, RECEIVED]).plan.directions
    assert ("xml", "pdf") == settled("syntage", options=["pdf", "xml"]).plan.options


def test_today_in_mexico_is_the_last_day_that_can_be_planned() -> None:
    """At 05:59 UTC it is still yesterday there."""
    early = NOW.replace(hour=5, minute=59)

    assert TODAY == settled(last=TODAY).plan.last
    with pytest.raises(TaskError, match="future"):
        settled(last=TODAY, now=early)


def test_plans_that_overlap_are_refused() -> None:
    """A day would be counted twice; plans that only touch, or want other directions, are apart."""
    year, next_year = settled().plan, settled(first=date(2025, 12, 31), last=date(2026, 1, 31)).plan

    with pytest.raises(TaskError, match="plans old and new overlap") as caught:
        check_apart({"old": year, "other": settled(subjects=LINKS[1:]).plan, "new": next_year})
    check_apart({"old": year, "new": settled(first=date(2026, 1, 1), last=date(2026, 1, 31)).plan})
    check_apart({"issued": settled(directions=[ISSUED]).plan, "received": settled(directions=[RECEIVED]).plan})

    assert "first" == caught.value.field


def test_a_resource_without_days_is_asked_once() -> None:
    """What there is, whenever."""
    plan = settled("syntage", resource="tax-status", first=None, last=None)
    (chunk,) = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    coverage = cover(plan.plan, [job_for(plan, chunk)])

    assert (None, None, ("all",)) == (chunk.first, chunk.last, chunk.directions)
    assert coverage.is_whole
    assert 1 == coverage.cells[0].days
    assert propose(coverage, plan.rules, NOW).is_done


@pytest.mark.parametrize("resource", ["tax_status", "tax_compliance", "sat_certificates", "rpc", "rug", "bil"])
def test_every_resource_without_days_is_known_again(resource: str) -> None:
    """Its jobs say that they are about it."""
    plan = settled("syntage", resource=resource, first=None, last=None)
    (chunk,) = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    assert cover(plan.plan, [job_for(plan, chunk)]).is_whole


@pytest.mark.parametrize(
    "resource", ["annual_tax_return", "monthly_tax_return", "rif_tax_return", "electronic_accounting", "tax_retention"]
)
def test_every_resource_with_days_is_known_again(resource: str) -> None:
    """One request for all the days, and directions where there are any."""
    plan = settled("syntage", resource=resource)
    (chunk,) = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    assert cover(plan.plan, [job_for(plan, chunk)]).is_whole


def test_an_answer_with_more_holds_what_one_with_less_does() -> None:
    """With XML proves without; without does not prove with."""
    bare, rich = settled(), settled(options=["xml"])
    year = (date(2025, 1, 1), date(2025, 12, 31))
    jobs = {
        plan.plan.options: [
            job_for(plan, extent(*year, (side,), plan.plan.options), id=side) for side in plan.plan.directions
        ]
        for plan in (bare, rich)
    }

    found = {
        (plan.plan.options, options): cover(plan.plan, some).is_whole
        for plan in (bare, rich)
        for options, some in jobs.items()
    }

    assert {((), ()): True, ((), ("xml",)): True, (("xml",), ()): False, (("xml",), ("xml",)): True} == found


def test_other_vendors_subjects_and_resources_prove_nothing() -> None:
    """The axis is the plan's."""
    plan, other = settled("syntage"), settled("syntage", resource="tax_retention")
    year = extent(date(2025, 1, 1), date(2025, 12, 31))
    jobs = [job_for(other, year), job_for(settled("syntage", subjects=ENTITIES[1:]), year)]

    assert {"never asked"} == {str(cell.known) for cell in cover(plan.plan, jobs).cells}
