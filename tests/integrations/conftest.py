"""Both vendors, simulated, and a database that mirrors them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integrations.kit import Database, Mirrored, hold_time_for_mirrors, mirror_both, open_database
from tests.session.world import world
from tests.virtual_time import run

__all__ = ["world"]

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the proofs whatever loads: that takes a second each time."""
    for each in items:
        loads = {"database", "mirrored"} & set(getattr(each, "fixturenames", ()))
        if loads and each.path.is_relative_to(HERE):
            each.add_marker(pytest.mark.proof)


@pytest.fixture(autouse=True, scope="session")
def installed() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("dlt", reason="mirrors need `pip install 'belvo-async[dlt]'`")


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    with hold_time_for_mirrors():
        yield


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """DuckDB, unless the test names others."""
    with open_database(getattr(request, "param", "duckdb"), tmp_path) as found:
        yield found


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def mirrored(
    installed: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mirrored]:
    """A mirror of both vendors, made once: to be read only."""
    with open_database(request.param, tmp_path_factory.mktemp("mirror")) as found, hold_time_for_mirrors():
        made: Mirrored = run(mirror_both(found))
        yield made
