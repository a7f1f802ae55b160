"""The picture of a run: how far each goal was met."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from table import Row

# Colours that stay apart for eyes that see no red and green, and in print.
_MET, _SHORT, _LINE = "#1f77b4", "#e07b39", "#333333"
_ROW_INCHES = 0.34
# Some goals are met a hundredfold: past this the bar is cut, and the number says how far it went.
_WIDEST = 10.0
_NARROWEST = 0.1


def draw(rows: Sequence[Row], path: Path, source: str = "") -> None:
    """Write a bar for each row with a goal: its measured ratio over the goal, on a logarithmic scale, goal at 1.

    `source` is kept in the file: the digest of the run it was drawn from.
    """
    mpl.use("Agg")
    # A goal of nothing at all has no scale to be drawn on.
    aimed = [(row, row.reach) for row in rows if row.goal]
    figure = Figure(figsize=(11, 1.3 + _ROW_INCHES * len(aimed)), layout="constrained")
    axes = figure.add_subplot()
    places = range(len(aimed), 0, -1)
    reaches = [min(max(reach or 0.0, _NARROWEST), _WIDEST) for _, reach in aimed]
    colours = [_MET if row.is_met else _SHORT for row, _ in aimed]
    # Bars grow from the goal's line: to the right what is better than it, to the left what is short of it.
    axes.barh(places, [reach - 1 for reach in reaches], left=1, color=colours, height=0.7)
    axes.axvline(1, color=_LINE, linewidth=1)
    axes.margins(y=0.01)
    axes.set_xscale("log")
    axes.set_xlim(_NARROWEST * 0.8, _WIDEST * 2.2)
    ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(ticks, [f"{tick:g} x" if tick != 1 else "goal" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(list(places), [f"{row.area}: {row.what}" for row, _ in aimed], fontsize=8)
    for place, (row, _), reach in zip(places, aimed, reaches, strict=True):
        sign = "≥" if row.at_least else "≤"
        label = f"{row.ratio:.3g}  ({sign} {row.goal:.3g})"
        axes.text(max(reach, 1) * 1.05, place, label, va="center", fontsize=8, color=_LINE)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    rough = "; the machine was busy" if any(row.is_rough for row in rows) else ""
    title = f"Measured over goal, further right is better (blue: met, orange: short{rough})"
    axes.set_title(title, fontsize=10, loc="left")
    figure.savefig(path, dpi=130, metadata={"Description": source})
