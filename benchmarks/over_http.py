"""Reading through the session over real HTTP: a download of 200 MB, and many pages of a slow vendor.

    python benchmarks/over_http.py [--quick]

The vendor runs in a process of its own, every reader in a fresh one. The download is one page of 200 MB without `xml`;
the peer reads the whole body, then decodes it into plain structs of the same fields and types. The slow vendor answers
each of 100 pages after 200 ms; the peer asks for one page after the other. Memory is the peak above the start of the
reading, lag how late timers of the same loop were.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from apart import ask, serving
from table import Middle, Row, Size, middle_ratio, run, span

AREA = "http"
LINK = "c81a1dea-6dd6-4999-8b9f-541ee8197058"
MEGABYTES = 200
PAGES = 100
DELAY_SECONDS = 0.2
PAGE_MEGABYTES = 0.2
# From Python 3.12 on, the collector no longer interrupts a decode.
DOWNLOAD_GOAL = 4.0 if sys.version_info < (3, 12) else 1.5


def rounds_of(ways: Iterable[str], url: str, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """What each way measured, taking turns."""
    measured: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, each in measured.items():
            each.append(ask("over_http_client.py", way, url, LINK))
    if len({each["rows"] for results in measured.values() for each in results}) != 1:
        raise RuntimeError("the readers did not read the same rows")
    return measured


def middle(measured: list[dict[str, Any]], field: str) -> Middle:
    return Middle(each[field] for each in measured)


def speedup(measured: dict[str, list[dict[str, Any]]]) -> float:
    return middle_ratio(*([each["seconds"] for each in measured[way]] for way in ("plain", "ours")))


def download(rounds: int, megabytes: float) -> list[Row]:
    """One large body."""
    with serving("over_http_server.py", LINK, "1", str(megabytes), "0") as url:
        measured = rounds_of(("ours", "plain", "ours-lag", "plain-lag"), url, rounds)
    ours, plain = ((f"{megabytes / middle(measured[way], 'seconds'):.0f} MB/s") for way in ("ours", "plain"))
    peaks = [middle(measured[way], "peak_mb") for way in ("ours", "plain")]
    lags = [middle(measured[f"{way}-lag"], "lag_ms") for way in ("ours", "plain")]
    name = f"{megabytes:.0f} MB over HTTP"
    return [
        Row(area=AREA, what=f"{name}, beside read, then list[Struct]", ours=ours, peer=plain,
            ratio=speedup(measured), goal=DOWNLOAD_GOAL),
        Row(area=AREA, what=f"{name}, loop lag p99, ms", ours=f"{lags[0]:.2f} ms", peer=f"{lags[1]:,.0f} ms",
            ratio=lags[0], goal=5, at_least=False),
        Row(area=AREA, what=f"{name}, peak memory above the start, MB", ours=f"{peaks[0]:.1f} MB",
            peer=f"{peaks[1]:,.0f} MB", ratio=peaks[0], goal=16, at_least=False),
    ]  # fmt: skip


def slow_pages(rounds: int, pages: int) -> list[Row]:
    """Many pages, each after a while."""
    with serving("over_http_server.py", LINK, str(pages), str(pages * PAGE_MEGABYTES), str(DELAY_SECONDS)) as url:
        measured = rounds_of(("ours", "plain"), url, rounds)
    ours, plain = (span(middle(measured[way], "seconds")) for way in ("ours", "plain"))
    what = f"{pages} pages, each answered after {1000 * DELAY_SECONDS:.0f} ms, beside one after the other"
    return [Row(area=AREA, what=what, ours=ours, peer=plain, ratio=speedup(measured), goal=3)]


def measure(size: Size = Size.FULL) -> list[Row]:
    """Both readings."""
    downloaded = size.pick((5, MEGABYTES), (2, MEGABYTES / 5), (1, 4))
    return download(*downloaded) + slow_pages(*size.pick((3, PAGES), (2, PAGES // 5), (1, 3)))


if __name__ == "__main__":
    run(measure, "Measure reading through the session over HTTP.")
