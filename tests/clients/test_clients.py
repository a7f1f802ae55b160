"""Belvo's own clients, and a Singer tap, run as they were published.

Each is skipped where it is not installed; how to install it stands in its skip's reason. Those that are not for Python
are found as their languages find them: `NODE_PATH=DIR/node_modules`, `RUBYLIB=DIR/lib` or a gem, `tap-belvo` on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from belvo_async.simulator import BelvoSimulator
from tests.simulator.conftest import basic

HERE = Path(__file__).parent
LONGEST_SECONDS = 120

# What starts each script, what must succeed for it to be there, and how to get it.
CLIENTS = {
    "belvo_python.py": ((sys.executable,), ("-c", "import belvo.client"), "pip install belvo-python"),
    "belvo_js.js": (("node",), ("-e", "require('belvo')"), "npm install --prefix DIR belvo"),
    "belvo_ruby.rb": (("ruby", "-W0"), ("-e", "require 'belvo'"), "gem install belvo (needs libcurl)"),
}
TAP = "tap-belvo"
# The tap reads banking as well, which is not simulated.
STREAMS = {
    "links",
    "institutions",
    "fiscal_invoices",
    "fiscal_tax_compliance_statuses",
    "fiscal_tax_retentions",
    "fiscal_tax_statuses",
}


def is_there(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return 0 == subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS).returncode


def ran(*command: str, cwd: Path, **environ: str) -> str:
    """Run a program to its end; gives what it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_SECONDS, cwd=cwd, env={**os.environ, **environ}
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    return done.stdout


def rows(lines: str) -> Iterator[Any]:
    return (json.loads(line) for line in lines.splitlines())


@pytest.mark.parametrize("script", CLIENTS)
def test_a_client_of_belvos_runs_unmodified(belvo: BelvoSimulator, tmp_path: Path, script: str) -> None:
    """Every step of its script does what the client's documentation says, and the simulator met no path it lacks."""
    runner, probe, how = CLIENTS[script]
    if not is_there(*runner, *probe):
        pytest.skip(f"{script} needs its client: {how}")

    printed = ran(
        *runner,
        str(HERE / script),
        cwd=tmp_path,
        BELVO_URL=belvo.url,
        BELVO_ID=belvo.secret_id,
        BELVO_PASSWORD=belvo.secret_password,
    )

    steps = list(rows(printed))
    assert [] == [step for step in steps if not step["ok"]]
    assert len(steps) > 15
    assert [] == [seen.path for seen in belvo.requests if seen.status in (405, 500)]


def test_the_singer_tap_runs_unmodified(belvo: BelvoSimulator, tmp_path: Path) -> None:
    """It asks for paths without their last slash, and is redirected."""
    tap = shutil.which(TAP)
    if tap is None:
        pytest.skip(f"needs the tap: pip install {TAP} (Python 3.12 or newer, best in an environment of its own)")
    fill(belvo)
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"secret_id": belvo.secret_id, "password": belvo.secret_password, "base_url": belvo.url})
    )
    catalog = json.loads(ran(tap, "--config", str(config), "--discover", cwd=tmp_path))
    chosen = [stream for stream in catalog["streams"] if stream["tap_stream_id"] in STREAMS]
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": chosen}))

    printed = ran(tap, "--config", str(config), "--catalog", str(tmp_path / "catalog.json"), cwd=tmp_path)

    records = [message for message in rows(printed) if message["type"] == "RECORD"]
    assert len(STREAMS) == len(chosen)
    assert STREAMS == {message["stream"] for message in records}
    assert any(seen.status == 301 for seen in belvo.requests)


def fill(belvo: BelvoSimulator) -> None:
    """Have the simulator collect what the tap will read."""
    period = {"date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
    for path, order in (
        ("/api/invoices/", period),
        ("/api/tax-retentions/", period),
        ("/api/tax-status/", {}),
        ("/api/tax-compliance-status/", {}),
    ):
        request = urllib.request.Request(
            belvo.url + path,
            data=json.dumps({"link": belvo.links[0], **order}).encode(),
            headers={**basic(belvo), "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=LONGEST_SECONDS) as response:
            assert 201 == response.status
