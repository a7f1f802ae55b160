"""Whatever stands in whichever field: the row is read, and all its other fields are what they would have been."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from belvo_async._decode import Batch
from belvo_async._decode.codec import RecordCodec
from belvo_async._decode.envelope import Envelope
from belvo_async._decode.reader import ROW_BYTES, TARGET_BYTES
from belvo_async.abc import Shape
from tests.tolerant.samples import ODD, Path, any_json, changed, full_row, paths, record_types

TYPES = record_types()
# msgspec makes them out of annotations, each time it is asked.
fields_of = cache(msgspec.structs.fields)


def read_page(kind: type[Any], rows: list[dict[str, Any]]) -> Batch[Any]:
    """The records of a page of rows, and what is odd about them."""
    shape: Shape[Any] = Shape(record=kind, rows=("results",))
    body = Envelope(shape, RecordCodec[Any](shape, None), TARGET_BYTES, ROW_BYTES)
    body.buffer.feed(msgspec.json.encode({"results": rows}))
    body.buffer.end()
    batches = [batch for batch in body.steps() if batch is not None]
    return Batch(
        [record for batch in batches for record in batch.records], [], [odd for batch in batches for odd in batch.odd]
    )


def assert_same_but(expected: Any, found: Any, path: Path) -> None:
    """Every field is the same, but for the one at the path."""
    if not path or isinstance(expected, msgspec.Raw) or found is None:
        return
    key, *rest = path
    if isinstance(key, int):
        assert len(expected) == len(found)
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            if index == key:
                assert_same_but(one, other, tuple(rest))
            else:
                assert one == other
    elif isinstance(expected, msgspec.Struct):
        for field in fields_of(type(expected)):
            one, other = getattr(expected, field.name), getattr(found, field.name)
            if field.encode_name == key:
                assert_same_but(one, other, tuple(rest))
            else:
                assert one == other, field.name


EACH_TYPE = pytest.mark.parametrize("kind", TYPES, ids=lambda kind: f"{kind.__module__.split('.')[2]}.{kind.__name__}")


@EACH_TYPE
def test_no_value_anywhere_costs_more_than_itself(kind: type[Any]) -> None:
    """An odd value at every place of every record of both catalogues: another at each."""
    assert_cost(kind, list(zip(paths(full_row(kind)), itertools.cycle(ODD), strict=False)))


@pytest.mark.proof
@EACH_TYPE
def test_really_no_value_anywhere_costs_more_than_itself(kind: type[Any]) -> None:
    """Every odd value at every place."""
    for path in paths(full_row(kind)):
        assert_cost(kind, [(path, odd) for odd in ODD])


def assert_cost(kind: type[Any], oddities: list[tuple[Path, Any]]) -> None:
    """Read a page with a row for each."""
    good = full_row(kind)
    batch = read_page(kind, [good, *(changed(good, path, odd) for path, odd in oddities), good])

    expected = batch.records[0]
    assert len(oddities) + 2 == len(batch.records)
    assert expected == batch.records[-1]
    for record, (path, _) in zip(batch.records[1:-1], oddities, strict=True):
        assert_same_but(expected, record, path)


@given(st.data())
@settings(max_examples=3 * settings.default.max_examples, deadline=None)
def test_any_json_anywhere_costs_no_more_than_itself(data: st.DataObject) -> None:
    """And what is told names that place, or one within it."""
    kind = data.draw(st.sampled_from([each for each in TYPES if any(paths(full_row(each)))]))
    good = full_row(kind)
    path = data.draw(st.sampled_from(list(paths(good))))
    odd = changed(good, path, data.draw(any_json))

    batch = read_page(kind, [good, odd, good])

    expected = batch.records[0]
    assert (3, expected) == (len(batch.records), batch.records[2])
    assert_same_but(expected, batch.records[1], path)
    place = "$.results[1]" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    assert all(each.place.path.startswith(place.rpartition("[")[0]) for row in batch.odd for each in row.told)
