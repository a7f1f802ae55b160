"""Coverage and receipts of a plan as one document: it comes back as it was, or not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from belvo_async.abc import Receipt
from belvo_async.errors import PayloadError
from belvo_async.jobs import Job
from belvo_async.planning import (
    Certificate,
    Known,
    Settled,
    certificate as room,
    certify,
    cover,
    encode_certificate,
    propose,
    read_certificate,
)
from tests.planning.kit import NOW, Walk, job_for, law, settled
from tests.planning.test_laws import ANY_END, histories


def receipt_of(job: Job, part: str = "a/1.ndjson") -> Receipt:
    return Receipt(
        sink="ndjson:/x",
        job=job.id,
        part=part,
        rows=3,
        size_bytes=99,
        digest="0" * 64,
        ids="0" * 32,
        at=NOW,
        sums={"total": Decimal("1234.50")},
    )


def certified() -> Certificate:
    """Half a year of one link, one direction proven."""
    walk = Walk(settled(first=date(2025, 1, 1), last=date(2025, 6, 30)))
    job = walk.ask(walk.proposal().chunks[0], "whole")
    return certify(walk.coverage(), [receipt_of(job)], NOW)


@law
@given(histories(ANY_END))
def test_a_certificate_comes_back_as_it_was(history: tuple[Settled, list[Job]]) -> None:
    """Whatever is known, and with receipts of whichever jobs."""
    plan, jobs = history
    certificate = certify(cover(plan.plan, jobs), [receipt_of(job) for job in jobs], NOW)

    assert certificate == read_certificate(encode_certificate(certificate))


def test_it_says_what_is_whole_and_which_days_are_known_how() -> None:
    """Over the plan's days, not those that were fetched."""
    certificate = certified()

    assert not certificate.is_whole
    assert {"proven": 181, "never asked": 181} == {word: days for word, days in certificate.days.items() if days}


def test_it_holds_the_receipts_of_its_own_jobs() -> None:
    """In the order of their parts; those of others are left out, and those that are missing are told."""
    walk = Walk(settled(first=date(2022, 1, 1), last=date(2023, 12, 31)))
    jobs = [walk.ask(chunk, "whole") for chunk in walk.proposal().chunks]
    stranger = job_for(settled(), propose(cover(settled().plan, ()), settled().rules, NOW).chunks[0], id="stranger")
    receipts = [receipt_of(job, part=f"{9 - place}") for place, job in enumerate(jobs[1:])]

    certificate = certify(walk.coverage(), [*receipts, receipt_of(stranger)], NOW)

    assert ["7", "8", "9"] == [each.part for each in certificate.receipts]
    assert (jobs[0].id,) == certificate.unreceipted


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        pytest.param(b'"is_whole": false', b'"is_whole": true', "$.digest", id="whole after all"),
        pytest.param(b'"never asked": 181', b'"never asked": 0', "$.digest", id="other days"),
        pytest.param(b'"rows": 3', b'"rows": 4', "$.digest", id="other rows"),
        pytest.param(b'"1234.50"', b'"1234.5"', "$.digest", id="a sum written otherwise"),
        pytest.param(b'"format": 1', b'"format": 2', "$.format", id="a later format"),
        pytest.param(b'"last": "2025-06-30"', b'"last": "2025-06-29"', "$.digest", id="another period"),
    ],
)
def test_what_was_changed_is_refused(old: bytes, new: bytes, path: str) -> None:
    """The digest is over all of it."""
    document = encode_certificate(certified())
    assert old in document

    with pytest.raises(PayloadError) as caught:
        read_certificate(document.replace(old, new, 1))

    assert path == caught.value.path


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b"\xff", b"null", b'{"format": "one"}'])
def test_what_is_no_certificate_is_refused(document: bytes) -> None:
    """As what cannot be read."""
    with pytest.raises(PayloadError):
        read_certificate(document)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
def test_what_was_cut_off_is_refused(cut: float) -> None:
    """A copy that did not end."""
    document = encode_certificate(certified())

    with pytest.raises(PayloadError):
        read_certificate(document[: int(len(document) * cut)])


def test_it_may_be_laid_out_otherwise() -> None:
    """Spaces and lines are no part of it."""
    certificate = certified()

    assert certificate == read_certificate(msgspec.json.encode(certificate))


def signed(certificate: Certificate, **changes: Any) -> bytes:
    """With a digest that fits what was changed."""
    changed = replace(certificate, **changes, digest="")
    return encode_certificate(replace(changed, digest=room._digest(changed)))


def test_what_contradicts_itself_is_refused() -> None:
    """Whoever made it: each day once, and sums that are those of the cells."""
    certificate = certified()
    cells = certificate.cells
    shorter = replace(cells[0], last=date(2025, 6, 29))

    for changes, path in (
        ({"is_whole": True}, "$.is_whole"),
        ({"days": certificate.days | {"proven": 182}}, "$.days"),
        ({"days": {}}, "$.days"),
        ({"cells": cells[1:]}, "$.cells"),
        ({"cells": ()}, "$.cells"),
        ({"cells": (shorter, *cells[1:])}, "$.cells"),
        ({"cells": (*cells, cells[-1])}, "$.cells"),
        ({"cells": cells[::-1]}, "$.cells"),
        ({"cells": (replace(cells[0], subject="other"), *cells[1:])}, "$.cells"),
        ({"plan": replace(certificate.plan, first=None)}, "$.cells"),
    ):
        with pytest.raises(PayloadError) as caught:
            read_certificate(signed(certificate, **changes))
        assert path == caught.value.path


def test_an_inferred_end_is_never_called_proven() -> None:
    """By the vendor's word only."""
    walk = Walk(settled("syntage"))
    walk.ask(walk.proposal().chunks[0], "inferred")

    certificate = certify(walk.coverage(), (), NOW)

    assert not certificate.is_whole
    assert [(Known.PARTIAL, "inferred")] * 2 == [(cell.known, cell.code) for cell in certificate.cells]
