"""Commands about plans in virtual time: parsed as typed, run against the simulators of a world."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from belvo_async._cli.arguments import make_parser
from belvo_async._cli.jobs.following import resume, stop
from belvo_async._cli.plans.changes import changes
from belvo_async._cli.plans.coverage import coverage
from belvo_async._cli.plans.display.screen import LogScreen
from belvo_async._cli.plans.estimate import estimate
from belvo_async._cli.plans.extract import extract
from belvo_async._cli.plans.mirror import mirror
from belvo_async._cli.plans.subjects import entities, links
from tests.session.world import World
from tests.variables import variables_of

COMMANDS: dict[str, Any] = {
    "estimate": estimate,
    "coverage": coverage,
    "changes": changes,
    "links": links,
    "entities": entities,
    "resume": resume,
    "stop": stop,
}


@dataclass
class Shell:
    """Types commands; `log` is what stderr would show of the runs."""

    world: World
    folder: Path
    log: str = ""

    @property
    def store(self) -> str:
        return f"sqlite:{self.folder / 'jobs.db'}"

    @property
    def environ(self) -> dict[str, str]:
        return variables_of(self.world.belvo, self.world.syntage)

    async def type(self, *argv: str, **environ: str) -> int:
        """Run a command; its exit code."""
        stored = () if argv[0] in ("links", "entities") else ("--store", self.store)
        options = make_parser().parse_args([*argv, *(() if "--store" in argv else stored)])

        def given() -> dict[str, str]:
            return {**self.environ, **environ}

        words = [each for each in argv if each in COMMANDS]
        if argv[0] in ("extract", "sync", "mirror"):
            stream, run = io.StringIO(), mirror if argv[0] == "mirror" else extract
            try:
                return await run(options, given, self.world.clock, LogScreen(stream))
            finally:
                self.log = stream.getvalue()
        code: int = await COMMANDS[words[0]](options, given, self.world.clock)
        return code

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path
