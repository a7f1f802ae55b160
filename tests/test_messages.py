"""A task travels as a message in anybody's queue, and comes back as it was or not at all."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from belvo_async import TaskError, belvo, decode_task, encode_task, syntage
from belvo_async.jobs import Task, UnknownTask

PERIOD = syntage.Period(from_=date(2024, 1, 1), to=date(2024, 12, 31))
ENTITY = "0b3b1f1e-0000-4000-8000-000000000001"
TASKS: list[Task[Any]] = [
    belvo.Invoices(link="l-1", date_from=date(2024, 1, 1), date_to=date(2024, 6, 30), type="INFLOW"),
    syntage.Extraction(entity=ENTITY, extractor="invoice", options=syntage.InvoiceOptions(period=PERIOD)),
    syntage.Extraction(entity=ENTITY, extractor="tax_status"),
]


def altered(task: Task[Any], **changes: Any) -> bytes:
    message = json.loads(encode_task(task))
    message["task"] |= changes
    return json.dumps(message).encode()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_a_task_comes_back_as_it_was(task: Task[Any]) -> None:
    """As bytes or as text, and the same bytes again."""
    message = encode_task(task)

    assert task == decode_task(message) == decode_task(message.decode())
    assert message == encode_task(decode_task(message))


def test_the_text_is_the_same_in_every_release() -> None:
    """Queues outlive releases: what was written once is read for ever."""
    written = (
        b'{"format":1,"task":{"date_from":"2024-01-01","date_to":"2024-06-30","kind":"belvo.Invoices","link":"l-1",'
        b'"options":null,"type":"INFLOW"}}'
    )
    kept = {name: value for name, value in json.loads(written)["task"].items() if name != "options"}

    assert kept.items() <= json.loads(encode_task(TASKS[0]))["task"].items()
    assert TASKS[0] == decode_task(json.dumps({"format": 1, "task": kept}))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (b"", "no task"),
        (b"{}", "no task"),
        (b"\xff", "no task"),
        (b'{"format": 1}', "no task"),
        (b'{"format": 1, "task": 5}', "no task"),
        (b'{"format": 1, "task": {}}', "no task"),
        (b'{"format": 2, "task": {}, "more": 1}', "another format"),
        (b'{"format": 1, "task": {"kind": "x.Y"}}', "kind x.Y"),
        (b'{"format": 1, "task": {"kind": "AAAA010101AAA secret"}}', "(unreadable)"),
        (altered(TASKS[0], type="SIDEWAYS SECRET"), "no task"),
        (b'{"format": 1, "task": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "no task"),
        (altered(TASKS[0], newer="SECRET"), "no `newer`"),
        (
            altered(TASKS[1], options={"period": {"from": "2024-01-01", "until": "SECRET"}}),
            "no task",
        ),
    ],
)
def test_what_is_not_understood_is_refused(message: bytes, says: str) -> None:
    """To the last field, or another task would be paid for; and nothing of it is repeated."""
    with pytest.raises(TaskError) as refused:
        decode_task(message)

    assert says in str(refused.value)
    assert "secret" not in str(refused.value).lower()
    assert (None, "task") == (refused.value.__context__ and None, refused.value.field)


def test_one_whose_type_is_not_loaded_is_passed_on() -> None:
    """As word for word as a store keeps it."""
    unknown = UnknownTask(stored_kind="newer.Kind", body=b'{"kind":"newer.Kind","x":1}')  # type: ignore[arg-type]

    assert {"format": 1, "task": {"kind": "newer.Kind", "x": 1}} == json.loads(encode_task(unknown))


def test_only_tasks_travel() -> None:
    with pytest.raises(TaskError):
        encode_task("a task")  # type: ignore[arg-type]
