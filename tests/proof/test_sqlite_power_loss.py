"""What an SQLite store acknowledged outlives a loss of power. Any number: `python -m tests.proof.power_loss`."""

from __future__ import annotations

import pytest

from tests.proof import power_loss

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("settings", power_loss.SAFE)
def test_no_acknowledged_event_is_lost_with_the_power(settings: str) -> None:
    """With the settings the store chooses, whatever part of the unflushed writes arrives."""
    losses = power_loss.run(settings, 300, 11)

    assert (300, 0, 0) == (losses.images, losses.lossy, losses.broken), losses.words[:5]
    assert losses.acknowledged > 300


@pytest.mark.parametrize("settings", ["delete-off", "wal-off", "wal-normal"])
def test_the_examination_notices_losses(settings: str) -> None:
    """Settings that are known to lose are found out: so finding nothing means something."""
    losses = power_loss.run(settings, 100, 11)

    assert losses.lossy > 0
