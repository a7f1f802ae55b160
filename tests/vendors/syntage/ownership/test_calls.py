"""Shareholders, relations and sources: what is sent for each call, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Retry
from belvo_async.errors import TaskError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, NOW, RFC, answer, converse, vendor

ID = "b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08"
REPORTS = "/datasources/mx/company-verification/reports"
HOLDER = f"/shareholders/{ID}"
RELATION = f"{HOLDER}/relations/{ID}"
SOURCE = f"{RELATION}/sources/{ID}"
NEW = {"entity": ENTITY, "relation_type": "shareholders", "name": "ANA ARCE", "shares": Decimal("1500.50")}
PROMOTED = {"shareholder": ID, "relation": ID, "name": "ANA ARCE", "rfc": RFC}

# Kind, fields, method, path, body, what it gives.
CASES: list[tuple[Any, dict[str, Any], str, str, Any, Any]] = [
    (syntage.GetShareholderRelation, {"id": RELATION, "shareholder": ID}, "GET", RELATION, None,
     syntage.ShareholderRelation),
    (syntage.GetShareholderSource, {"id": ID, "shareholder": HOLDER, "relation": RELATION}, "GET", SOURCE, None,
     syntage.ShareholderSource),
    (syntage.GetFoundEntity, {"id": ID, "report": ID}, "GET", f"{REPORTS}/{ID}/found-entities/{ID}", None,
     syntage.FoundEntity),
    (syntage.GetRpcShareholders, {"entity": ENTITY}, "GET", f"{ENTITY}/insights/rpc-shareholders", None,
     syntage.RpcShareholders),
    (syntage.CreateShareholder, NEW, "POST", f"{ENTITY}/shareholders",
     {"relationType": "shareholders", "name": "ANA ARCE", "shares": Decimal("1500.50")}, syntage.Shareholder),
    (syntage.UpdateShareholder, {"id": HOLDER, "rfc": RFC.lower()}, "PATCH", HOLDER, {"rfc": RFC},
     syntage.Shareholder),
    (syntage.DeleteShareholder, {"id": HOLDER}, "DELETE", HOLDER, None, None),
    (syntage.UpdateShareholderRelation, {"id": ID, "shareholder": ID, "shares": Decimal("0.01")}, "PATCH", RELATION,
     {"shares": Decimal("0.01")}, syntage.ShareholderRelation),
    (syntage.DeleteShareholderRelation, {"id": ID, "shareholder": ID}, "DELETE", RELATION, None, None),
    (syntage.PromoteShareholder, PROMOTED, "POST", f"{RELATION}/promote", {"name": "ANA ARCE", "rfc": RFC},
     syntage.EntityAdded),
    (syntage.DeleteShareholderSource, {"id": SOURCE, "shareholder": ID, "relation": ID}, "DELETE", SOURCE, None, None),
]  # fmt: skip


def request_of(call: Any) -> Any:
    _, (request,) = converse(vendor().call(call, NOW), answer(200, {"id": ID}))
    return request


@pytest.mark.parametrize(
    ("kind", "fields", "method", "target", "body", "record"), CASES, ids=[kind.__name__ for kind, *_ in CASES]
)
def test_each_call_is_the_documented_request(
    kind: Any, fields: dict[str, Any], method: str, target: str, body: Any, record: Any
) -> None:
    """Ids may be IRIs, the name for logs holds none; shares are numbers, digit for digit; what makes is sent once."""
    found, (request,) = converse(vendor().call(kind(**fields), NOW), answer(200, {"id": ID}))

    name = target.replace(ENTITY, "/entities/{id}").replace(ID, "{id}")
    assert (method, target, f"{method} {name}") == (request.method, request.target, request.name)
    numbers = msgspec.json.Decoder(float_hook=Decimal)
    assert body == (numbers.decode(request.body) if request.body else None)
    assert (Retry.SUBMIT if method == "POST" else Retry.SAFE) is request.retry
    assert (type(None) if record is None else record) is type(found)


def test_changes_are_sent_as_documented() -> None:
    """Plain JSON: of all changes, only these are not documented as merge patches."""
    for call in (syntage.UpdateShareholder(id=ID, name="X"),
                 syntage.UpdateShareholderRelation(id=ID, shareholder=ID, shares=Decimal(1))):  # fmt: skip
        assert ("Content-Type", "application/json") == request_of(call).headers[-1]


@pytest.mark.parametrize(("given", "body"), [({}, {}), ({"name": "X"}, {"name": "X"}), ({"rfc": None}, {"rfc": None})])
def test_what_is_not_named_stays(given: dict[str, Any], body: dict[str, Any]) -> None:
    """None takes the RFC away."""
    assert body == msgspec.json.decode(request_of(syntage.UpdateShareholder(id=ID, **given)).body)


def test_a_promotion_may_start_extractions() -> None:
    """Sources are written as for a new entity; unlike there, no options are documented."""
    call = syntage.PromoteShareholder(**PROMOTED, datasources=("sat", "rpc"))

    body = msgspec.json.decode(request_of(call).body)

    assert [{"name": "sat"}, {"name": "rpc"}] == body["datasources"]


@pytest.mark.parametrize(
    ("kind", "fields", "changes", "field"),
    [
        (syntage.CreateShareholder, NEW, {"shares": Decimal(0)}, "shares"),
        (syntage.CreateShareholder, NEW, {"shares": Decimal("-1")}, "shares"),
        (syntage.CreateShareholder, NEW, {"shares": Decimal("NaN")}, "shares"),
        (syntage.CreateShareholder, NEW, {"shares": 10}, "shares"),
        (syntage.CreateShareholder, NEW, {"shares": 0.5}, "shares"),
        (syntage.CreateShareholder, NEW, {"relation_type": "owner"}, "relation_type"),
        (syntage.CreateShareholder, NEW, {"name": ""}, "name"),
        (syntage.CreateShareholder, NEW, {"rfc": "X"}, "rfc"),
        (syntage.CreateShareholder, NEW, {"entity": "/taxpayers/X"}, "entity"),
        (syntage.UpdateShareholder, {"id": ID}, {"rfc": "X"}, "rfc"),
        (syntage.UpdateShareholder, {"id": ID}, {"name": None}, "name"),
        (syntage.UpdateShareholderRelation, {"id": ID, "shareholder": ID}, {"shares": Decimal("0.001")}, "shares"),
        (syntage.GetShareholderRelation, {"shareholder": ID}, {"id": "/shareholders/1/relations/2"}, "id"),
        (syntage.PromoteShareholder, PROMOTED, {"rfc": ""}, "rfc"),
        (syntage.PromoteShareholder, PROMOTED, {"rfc": "not an RFC"}, "rfc"),
        (syntage.PromoteShareholder, PROMOTED, {"datasources": ("sat", "tas")}, "datasources"),
        (syntage.PromoteShareholder, PROMOTED, {"datasources": "sat"}, "datasources"),
        (syntage.ShareholderInsights, {"entity": ENTITY}, {"relation_type": "both"}, "relation_type"),
        (syntage.ShareholderRelations, {}, {"shareholder": ENTITY}, "shareholder"),
        (syntage.BackgroundCheckRecords, {"background_check": ID}, {"category": "astrology"}, "category"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_before_a_byte(
    kind: Any, fields: dict[str, Any], changes: dict[str, Any], field: str
) -> None:
    """Naming the field, and nothing that was given."""
    with pytest.raises(TaskError, match=f"^{field} must") as caught:
        kind(**{**fields, **changes})

    assert field == caught.value.field
    assert "ANA" not in str(caught.value)


def test_nothing_shows_who_owns_what() -> None:
    """Neither a call nor a record shows a name or an RFC."""
    shown = [
        syntage.CreateShareholder(**NEW, rfc=RFC),
        syntage.Shareholders(name="ANA ARCE", rfc=RFC),
        msgspec.convert({"name": "ANA ARCE", "rfc": RFC, "id": ID}, syntage.Shareholder),
        msgspec.convert({"name": "ANA ARCE"}, syntage.PowerHolder),
    ]

    assert all("ANA" not in repr(each) + repr([*each.__rich_repr__()]) for each in shown)
    assert all(RFC not in repr(each) for each in shown)
