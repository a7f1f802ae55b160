"""Which texts say a number, a flag, a day or an instant for certain, and which do not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest

from belvo_async.errors import PayloadError
from belvo_async.tolerant import Misfits, listening, read

CENTRAL = timezone(timedelta(hours=-6))
LOST = object()


def local(*parts: int) -> datetime:
    """An instant that names no zone."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[arg-type, misc]


def value_of(kind: Any, written: str) -> object:
    """What a field of a type is read as; LOST for what is None and told."""
    record = msgspec.defstruct("Record", [("value", kind | None, None)])
    with listening() as unread:
        found: Any = read(b'{"value":%s}' % written.encode(), record)
    assert unread.count in (0, 1)
    if unread.count:
        assert ("$.value", written, None) == (unread[0].path, unread[0].raw, found.value)
        return LOST
    return found.value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"12.50"', "12.50"),
        ("12.50", "12.50"),
        ('" 12.50 "', "12.50"),
        ('"\\u00a012.50"', "12.50"),
        ('"+5"', "5"),
        ('".5"', "0.5"),
        ('"5."', "5"),
        ('"007"', "7"),
        ('"-1,234.50"', "-1234.50"),
        ('"1,234,567"', "1234567"),
        ('"1,234,567.890"', "1234567.890"),
        ('"1 234 567.89"', "1234567.89"),
        ('"1 234"', "1234"),
        ('"1\\u202f234.5"', "1234.5"),
        ('["12.50"]', "12.50"),
        ("[12.50]", "12.50"),
        ('"1e3"', "1E+3"),
        ("123456789012345678901234567890.12", "123456789012345678901234567890.12"),
    ],
)
def test_a_number_keeps_every_digit(written: str, expected: str) -> None:
    """In whatever form it comes, if there is but one reading."""
    assert expected == str(value_of(Decimal, written))


@pytest.mark.parametrize(
    "written",
    [
        '"1,234"',
        '"0,123.5"',
        '"1.234,50"',
        '"1,23"',
        '"12 34"',
        '"1,2345.0"',
        '"$5"',
        '"5 MXN"',
        '"NaN"',
        '"1e999999"',
        "1e999999",
        "true",
        "[1,2]",
        '{"amount":1}',
        '"x"',
        '"1 234,50"',
        '"--5"',
        '"0x10"',
    ],
)
def test_what_may_be_several_numbers_is_none(written: str) -> None:
    """A wrong amount is worse than a missing one that is told."""
    assert LOST is value_of(Decimal, written)


@pytest.mark.parametrize("written", ['""', '"  "', "[]", "{}", "[ ]", "null", '"\\u00a0"'])
@pytest.mark.parametrize("kind", [Decimal, int, bool, date, datetime, Literal["a"], Decimal | bool])
def test_nothing_is_none_without_a_word(kind: Any, written: str) -> None:
    """In whatever way it is said."""
    assert None is value_of(kind, written)


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (int, "10.0", 10),
        (int, '"10"', 10),
        (int, '"10.0"', 10),
        (int, "1e3", 1000),
        (int, '"04"', 4),
        (int, '"1,234,567"', 1234567),
        (int, '"20060152922"', 20060152922),
        (int, "10.5", LOST),
        (int, '"10.5"', LOST),
        (int, "true", LOST),
        (int, "1e400", LOST),
        (int, '"x"', LOST),
        (str, "123", "123"),
        (str, "-0.50", "-0.50"),
        (str, "1E5", "1E5"),
        (str, "true", "true"),
        (str, '["a"]', "a"),
        (str, '["a","b"]', LOST),
        (str, '{"a":1}', LOST),
        (bool, '"true"', True),
        (bool, '"FALSE"', False),
        (bool, "1", True),
        (bool, "0.0", False),
        (bool, '"1"', True),
        (bool, '"S\u00ed"', True),
        (bool, '"no"', False),
        (bool, "2", LOST),
        (bool, '"maybe"', LOST),
        (float, '"1.5"', 1.5),
        (Literal["a", "b"], '" a "', "a"),
        (Literal[1, 2], '"2"', 2),
        (Literal["1", "2"], "2", "2"),
        (Annotated[int, msgspec.Meta(ge=0)], '"-1"', LOST),
        (Annotated[str, msgspec.Meta(max_length=3)], '"abcd"', LOST),
    ],
)
def test_texts_and_numbers_stand_for_each_other(kind: Any, written: str, expected: object) -> None:
    """Where nothing is lost; the bounds of the type hold."""
    assert expected == value_of(kind, written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019-12-10 00:00:00", date(2019, 12, 10)),
        ("2019-12-10T23:30:00-06:00", date(2019, 12, 10)),
        ("2019-12-10T00:00:00.000Z", date(2019, 12, 10)),
        (" 2019-12-10 ", date(2019, 12, 10)),
        ("2019/12/10", date(2019, 12, 10)),
        ("10/12/2019", date(2019, 12, 10)),
        ("1/2/2019", date(2019, 2, 1)),
        ("10/12/2019 08:00:00 T.CENTRO", date(2019, 12, 10)),
        ("12/31/2019", LOST),
        ("31/02/2019", LOST),
        ("2019-12", LOST),
        ("0000-00-00", LOST),
        ("tomorrow", LOST),
        ("10/12-2019", LOST),
    ],
)
def test_a_day_is_the_one_that_is_written(written: str, expected: object) -> None:
    """Of an instant, the day it is written with; the day comes before the month, as Mexico writes it."""
    assert expected == value_of(date, f'"{written}"')


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019-12-10", local(2019, 12, 10)),
        ("2019-12-10 10:20:30", local(2019, 12, 10, 10, 20, 30)),
        ("2019-12-10 10:20", local(2019, 12, 10, 10, 20)),
        ("2019-12-10T10:20Z", datetime(2019, 12, 10, 10, 20, tzinfo=UTC)),
        ("2019-12-10 10:20:30 UTC", datetime(2019, 12, 10, 10, 20, 30, tzinfo=UTC)),
        ("2019-12-10 10:20:30 -06:00", datetime(2019, 12, 10, 10, 20, 30, tzinfo=CENTRAL)),
        ("2019-12-10T10:20:30-06", datetime(2019, 12, 10, 10, 20, 30, tzinfo=CENTRAL)),
        ("2019-12-10T10:20:30,5Z", datetime(2019, 12, 10, 10, 20, 30, 500_000, tzinfo=UTC)),
        ("01/01/2017 12:00:00", local(2017, 1, 1, 12)),
        ("01/01/2017 12:00:00 T.CENTRO", datetime(2017, 1, 1, 18, tzinfo=UTC)),
        ("01/07/2017 12:00:00 T.CENTRO", datetime(2017, 7, 1, 17, tzinfo=UTC)),
        ("01/07/2024 12:00:00 T.CENTRO", datetime(2024, 7, 1, 18, tzinfo=UTC)),
        ("01/07/2024 12:00:00 Tiempo del Pac\u00edfico", datetime(2024, 7, 1, 19, tzinfo=UTC)),
        ("01/07/2024 12:00:00 Zona Sureste", datetime(2024, 7, 1, 17, tzinfo=UTC)),
        ("01/01/2024 12:00:00 T.NOROESTE", datetime(2024, 1, 1, 20, tzinfo=UTC)),
        ("2024-01-01 12:00:00 CST", datetime(2024, 1, 1, 18, tzinfo=UTC)),
        ("2024-01-01 12:00:00 America/Mexico_City", datetime(2024, 1, 1, 18, tzinfo=UTC)),
        ("30/10/2022 01:30:00 T.CENTRO", LOST),
        ("01/01/2017 12:00:00 T.LUNA", LOST),
        ("2017-13-01", LOST),
        ("2017-01-01 25:00:00", LOST),
        ("12:00:00", LOST),
        ("soon", LOST),
    ],
)
def test_an_instant_is_read_in_the_zone_it_names(written: str, expected: object) -> None:
    """With the summer time of its year. An hour that there was twice is no instant; one without a zone has none."""
    assert expected == value_of(datetime, f'"{written}"')


def test_an_instant_without_a_zone_is_utc_where_the_type_wants_one() -> None:
    """What the type says of zones holds."""
    aware = Annotated[datetime, msgspec.Meta(tz=True)]
    naive = Annotated[datetime, msgspec.Meta(tz=False)]

    assert datetime(2019, 12, 10, tzinfo=UTC) == value_of(aware, '"2019-12-10"')
    assert local(2019, 12, 10) == value_of(naive, '"2019-12-10"')
    assert LOST is value_of(naive, '"2019-12-10T00:00:00Z"')


@pytest.mark.parametrize("number", ["1700000000", "20191210", "43809.5"])
@pytest.mark.parametrize("kind", [date, datetime])
def test_a_number_is_no_day(kind: Any, number: str) -> None:
    """Nobody knows since when it counts, and in what."""
    assert LOST is value_of(kind, number)


def test_misfits_are_bounded() -> None:
    """All are counted, a hundred are kept, and of each its beginning."""
    misfits = Misfits()

    for number in range(1000):
        misfits.add(f"$.results[{number}].x", b'"' + b"y" * 10**6, str(number))

    assert (1000, 100) == (misfits.count, len(misfits))
    assert ("$.results[0].x", "0", 65536) == (misfits[0].path, misfits[0].row_id, len(misfits[0].raw))


def test_a_misfit_shows_its_place_only() -> None:
    """The value is a taxpayer's, and the id may be an RFC."""
    misfits = Misfits()
    misfits.add("$.results[3].total", b'"ANA PRUEBA"', "PAAA800101AB1")

    shown = f"{misfits!r} {misfits} {misfits[0]!r} {misfits[0]} {list(misfits)} {misfits[0].__rich_repr__()}"

    assert "$.results[3].total" in shown
    assert "ANA" not in shown
    assert "PAAA" not in shown
    assert '"ANA PRUEBA"' == misfits[0].raw


def test_no_reading_shows_a_value() -> None:
    """What is raised names a path."""
    with pytest.raises(PayloadError) as refused:
        read(b'{"id": {"a": "ANA PRUEBA"}}', msgspec.defstruct("Record", [("id", str | None, None)]))

    assert "ANA" not in f"{refused.value!r} {refused.value.__context__!r} {refused.value.__cause__!r}"
