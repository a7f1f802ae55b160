"""A record against what was known of it: which changes are told, and of what kind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import msgspec
from hypothesis import given, strategies as st

from belvo_async.abc import Query, RowPlace
from belvo_async.abc.changes import ChangeKind, ChangeRules, RecordStanding
from belvo_async.changes import Comparison, Fingerprints, KnownRecord
from belvo_async.jobs import Extent

KEY = b"k" * 32
HERE = RowPlace(("issued",), date(2026, 5, 1))


class Party(msgspec.Struct, frozen=True, kw_only=True):
    rfc: str | None = None
    name: str | None = None
    stage: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    id: str = "r1"
    seen_at: datetime | None = None
    status: str | None = "alive"
    total: Decimal | None = Decimal("10.00")
    issuer: Party | None = None
    lines: tuple[Party, ...] = ()
    is_cut: bool = False


class LaterReceipt(Receipt, frozen=True, kw_only=True):
    """As a later version of the library knows it."""

    tax: Decimal | None = None


def standings(receipt: Receipt) -> Iterable[RecordStanding]:
    yield RecordStanding(
        ChangeKind.CANCELLED, None if receipt.status is None else receipt.status == "dead", ("status",)
    )
    if receipt.issuer is not None and receipt.issuer.stage is not None:
        word = receipt.issuer.stage
        yield RecordStanding(ChangeKind.BLACKLISTED, word != "cleared", ("issuer.stage",), receipt.issuer.rfc, word)


def unlisted(subject: str, extent: Extent, since: datetime | None) -> Query[object]:
    raise NotImplementedError


def comparison(record: type[Receipt] = Receipt, *, is_single: bool = False) -> Comparison:
    ignored = frozenset({"id", "seen_at", "is_cut", "issuer.stage"})
    rules = ChangeRules(
        record=record,
        listed=unlisted,
        moment=lambda each: each.seen_at,
        ignored=ignored,
        standings=standings,
        is_incomplete=lambda each: each.is_cut,
        is_single=is_single,
    )
    return Comparison(rules, Fingerprints(record, ignored, KEY))


def told(receipts: Iterable[Receipt], *, doubtful: bool = False, by: Comparison | None = None) -> list[list[object]]:
    """What each of several states of a record tells, one after the other."""
    chosen, known, found = by or comparison(), None, list[list[object]]()
    for each in receipts:
        changes, after = chosen.record(each, each.id, known, HERE, doubtful=doubtful)
        known = known if after is None else after
        found.append([(str(change.kind), *change.fields) for change in changes])
    return found


def test_a_record_is_new_once() -> None:
    """Met again as it is, it tells nothing."""
    assert [[("new",)], [], []] == told([Receipt(), Receipt(), Receipt(seen_at=datetime(2026, 1, 1, tzinfo=UTC))])


def test_a_change_names_its_fields() -> None:
    """By their paths, those of records within it too."""
    before = Receipt(issuer=Party(rfc="A", name="Aceros"))
    after = Receipt(total=Decimal("11"), issuer=Party(rfc="A", name="Maderas"))

    assert [("changed", "total", "issuer.name")] == told([before, after])[1]


def test_spelling_is_no_change() -> None:
    """Names and amounts are compared by what they say."""
    before = Receipt(issuer=Party(name="ACEROS SA DE CV"), lines=(Party(name="a"), Party(name="b")))
    after = Receipt(
        total=Decimal("10"), issuer=Party(name="Aceros, S.A. de C.V."), lines=(Party(name="B"), Party(name="A"))
    )

    assert [] == told([before, after])[1]


def test_a_cancellation_has_a_kind_of_its_own() -> None:
    """It stands for the change of its fields, once; taken back, it is a change."""
    states = [Receipt(), Receipt(status="dead", total=Decimal(0)), Receipt(status="dead"), Receipt()]

    assert [
        [("new",)],
        [("cancelled", "status", "total")],
        [("changed", "total")],
        [("changed", "status")],
    ] == told(states)


def test_what_is_cancelled_when_it_is_met_first_is_new_and_cancelled() -> None:
    """Whoever adds up what is new and takes off what is cancelled comes out right."""
    assert [[("new",), ("cancelled", "status")]] == told([Receipt(status="dead")])


def test_a_standing_that_is_not_said_stays() -> None:
    """A status that is missing for once neither revives a receipt nor kills it again."""
    states = [Receipt(status="dead"), Receipt(status=None, is_cut=True), Receipt(status="dead")]

    assert [[], []] == told(states)[1:]


def test_what_could_not_be_got_is_no_change() -> None:
    """Empty fields of an incomplete record say nothing; what comes later is learned, what differs is told."""
    cut = Receipt(total=None, is_cut=True)

    assert [[("new",)], [], [], [("changed", "total")]] == told([cut, Receipt(), cut, Receipt(total=Decimal(12))])


def test_what_could_not_be_read_is_no_change() -> None:
    """A value that did not fit comes as None, and may be anything."""
    assert [[("new",)], []] == told([Receipt(), Receipt(total=None)], doubtful=True)
    assert [[("new",)], [("changed", "total")]] == told([Receipt(), Receipt(total=None)])


def test_fields_that_another_version_knows_are_learned() -> None:
    """An update of the library is no change of every record."""
    first, later = comparison(), comparison(LaterReceipt)
    _, known = first.record(Receipt(), "r1", None, HERE, doubtful=False)

    changes, learned = later.record(LaterReceipt(tax=Decimal(1)), "r1", known, HERE, doubtful=False)
    then, _ = later.record(LaterReceipt(tax=Decimal(2)), "r1", learned, HERE, doubtful=False)

    assert () == changes
    assert [("tax",)] == [each.fields for each in then]


def party(*words: str, known: KnownRecord | None = None) -> list[str]:
    """What stages of somebody tell, as records bring them one after the other."""
    by, found = comparison(), list[str]()
    for word in words:
        receipt = Receipt(issuer=Party(rfc="A", stage=word))
        changes, after = by.party(list(by.parties(receipt)), known)
        known = known if after is None else after
        found += [str(each.kind) for each in changes]
    return found


def test_somebody_is_put_on_the_list_once() -> None:
    """However many records say so; each further stage is told again, and that it was taken back."""
    assert ["blacklisted"] == party("presumed", "presumed", "Presumed")
    assert ["blacklisted", "blacklisted", "changed"] == party("presumed", "definitive", "cleared", "cleared")


def test_who_was_never_on_the_list_is_not_told_of() -> None:
    """That somebody cleared themselves before we knew of them is no news."""
    assert [] == party("cleared")


@given(st.lists(st.sampled_from(["presumed", "definitive"])))
def test_stale_records_tell_no_stage_twice(words: list[str]) -> None:
    """Some records of a counterparty are older than others: whatever the order, each stage is told once."""
    assert len(set(words)) == len(party(*words))


@given(st.lists(st.sampled_from([Decimal("1"), Decimal("1.0"), Decimal("2"), None]), min_size=1))
def test_changes_are_told_exactly_where_values_differ(totals: list[Decimal | None]) -> None:
    """As often as the value differs from the one before, and never else."""
    differing = [one != other for one, other in pairwise(totals)]

    assert differing == [bool(each) for each in told(Receipt(total=each) for each in totals)[1:]]


def test_a_digest_tells_nothing_without_the_key_and_the_record() -> None:
    """The same value of two records looks different, and so it does under another key."""
    one, other = (Fingerprints(Receipt, frozenset({"id"}), key) for key in (KEY, b"x" * 32))

    assert one.digests(Receipt(), "r1", is_doubtful=False) != one.digests(Receipt(), "r2", is_doubtful=False)
    assert one.digests(Receipt(), "r1", is_doubtful=False) != other.digests(Receipt(), "r1", is_doubtful=False)
