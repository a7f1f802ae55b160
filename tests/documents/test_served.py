"""The simulators against the vendors' documents: whatever is documented and in scope is served."""

from __future__ import annotations

import re
from typing import Any

import pytest

from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.documents.ledger import operations

SIMULATORS: dict[str, Any] = {"belvo": BelvoSimulator, "syntage": SyntageSimulator}


def bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@pytest.mark.parametrize("vendor", SIMULATORS)
def test_every_operation_in_scope_is_served(vendor: str) -> None:
    """Whoever has a client of the vendor's has a server to try it on."""
    served = {(each.method, bare(each.template)) for each in SIMULATORS[vendor]().routes()}
    wanted = {(each["method"], bare(each["path"])) for each in operations(vendor) if "out" not in each}

    assert set() == wanted - served
