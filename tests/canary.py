"""A pytest plugin that looks for secrets where none may be, after every test: in logs, output, exceptions and reprs.

Every text ever wrapped in a `Secret` during a test is a canary, in the encodings it might travel in. In what an error
tracker shows of the exceptions that a test provoked (the frames they came through, their causes), every RFC is one too.
"""

from __future__ import annotations

import base64
import gc
import logging
import re
import traceback
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest

from belvo_async import discreet
from belvo_async.abc import Secret
from belvo_async.errors import BelvoAsyncError
from tests.frames import chain, is_program, shown_by

# Shorter texts, and plain words, occur by chance; the library itself refuses webhook secrets under 16 characters.
SHORTEST = 8


class Watchman(logging.Handler):
    """Collects what a test said, and the secrets it used."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.secrets: set[str] = set()
        self.errors: list[BelvoAsyncError] = []
        # What `pytest.raises` caught and what was logged: of any kind.
        self.provoked: list[BaseException] = []
        self.said: list[str] = []
        self._old_collections = _full_collections()

    def emit(self, record: logging.LogRecord) -> None:
        facts = {key: value for key, value in vars(record).items() if key not in _USUAL}
        if record.exc_info and record.exc_info[1] is not None:
            self.provoked.append(record.exc_info[1])
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.said.append(f"{record.name}: {record.getMessage()} {facts!r} {trace}")

    def find_leaks(self) -> list[str]:
        """Where a canary was seen; the canary itself is not repeated."""
        telling = [secret for secret in self.secrets if len(secret) >= SHORTEST and not secret.isalpha()]
        forms = {form for secret in telling for form in encodings(secret)}
        frames = list(self._find_in_frames(forms))
        if not forms:
            return frames
        places = [(f"log line {line.split(':')[0]}", line) for line in self.said]
        places += [(f"text of {type(error).__name__}", shown(error)) for error in self.errors]
        places += [(f"repr of {kind}", text) for kind, text in reprs(self._objects())]
        return [*frames, *(place for place, text in places if any(form in text for form in forms))]

    def _find_in_frames(self, forms: set[str]) -> Iterator[str]:
        met: set[int] = set()
        for error in [*self.provoked, *(each for each in self.errors if has_left(each))]:
            if id(error) in met:
                continue
            met |= {id(each) for each in chain(error)}
            for place, text in shown_by(error):
                # An attribute may hold the job that the user fired.
                is_rfc = not place.startswith("attributes") and _RFC.search(text)
                if is_rfc or text.startswith("repr failed") or any(form in text for form in forms):
                    yield f"what an error tracker shows, {place}"

    def _objects(self) -> list[object]:
        """The objects that are alive: all of them, if the test ran long enough for a full collection.

        Otherwise those it made are still among the young, and looking at a few thousand instead of some hundred
        thousand old ones after each of thousands of tests saves half of the suite's time.
        """
        if _full_collections() > self._old_collections:
            return gc.get_objects() + _standing
        # Added up: a display would be among the young itself, hold itself, and keep all of them alive.
        return gc.get_objects(0) + gc.get_objects(1)


def _full_collections() -> int:
    return gc.get_stats()[2]["collections"]


# What is ours of the objects that modules made when they were imported.
_standing: list[object] = []


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Let nothing be searched for garbage while the modules are imported: a fifth of that time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Freeze those some hundred thousand objects: neither a collection nor a search goes through them again."""
    # Rows that simulators share grow old as well, and are gone through whenever all is: more seldom than usual.
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, 50)
    gc.collect()
    _standing[:] = [each for each in gc.get_objects() if _is_ours(type(each))]
    gc.freeze()


# A company's or a person's; the SAT's own for the public and for foreigners are nobody's.
_RFC = re.compile(r"(?<![A-Za-z0-9&])(?!X[AE]XX010101000)[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}(?![A-Za-z0-9])")


def has_left(error: BelvoAsyncError) -> bool:
    """Whether an error came out of the library; those that are caught inside are shown to nobody."""
    trace = error.__traceback__
    return trace is not None and (is_program(trace.tb_frame) or trace.tb_frame.f_globals.get("__name__") == DOORS)


DOORS = discreet.__name__
_USUAL = set(vars(logging.makeLogRecord({})))


def encodings(secret: str) -> Iterator[str]:
    """The forms a secret could be written in; base64 in all three alignments, without the ends that neighbours blur."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield from {secret, quote(raw, safe=""), raw.hex()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        core = coded[4 if shift else 0 : -2]
        if len(core) >= SHORTEST:
            yield core


def shown(error: BaseException) -> str:
    """All that a log or an error tracker shows of an exception."""
    chain: list[str] = []
    link: BaseException | None = error
    while link is not None and len(chain) < 10:
        # Not the source lines of a traceback: they are the test's own text.
        chain.append(f"{''.join(traceback.format_exception_only(link))} {link!r} {vars(link)!r}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return " ".join(chain)


def reprs(objects: Collection[object]) -> Iterator[tuple[str, str]]:
    """The repr of every object of ours among some."""
    # Thousands of objects are of a few hundred kinds, and most often none is ours.
    ours = {kind for kind in set(map(type, objects)) if _is_ours(kind)}
    for each in objects if ours else ():
        if type(each) in ours:
            yield type(each).__qualname__, _repr(each)


@cache
def _is_ours(kind: type) -> bool:
    module = getattr(kind, "__module__", "")
    return isinstance(module, str) and module.startswith("belvo_async") and "simulator" not in module


def _repr(each: object) -> str:
    try:
        return repr(each)
    except Exception as error:
        return f"repr failed with {type(error).__name__}"


@pytest.fixture(autouse=True)
def no_secret_shows(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Watchman]:
    """Fail any test after which a secret can be read where none may be."""
    watchman = Watchman()
    plain_init = Secret.__init__

    def noting_init(self: Secret, text: str) -> None:
        watchman.secrets.add(text)
        plain_init(self, text)

    def noting_new(cls: type[BelvoAsyncError], *args: Any, **facts: Any) -> BelvoAsyncError:
        # A TimeoutError is an OSError, which is made its own way.
        error = (OSError if issubclass(cls, OSError) else Exception).__new__(cls, *args)
        if len(watchman.errors) < 1000:
            watchman.errors.append(error)
        return error

    def noting_fill(self: pytest.ExceptionInfo[Any], exc_info: Any) -> None:
        watchman.provoked.append(exc_info[1])
        plain_fill(self, exc_info)

    plain_fill = pytest.ExceptionInfo.fill_unfilled
    monkeypatch.setattr(pytest.ExceptionInfo, "fill_unfilled", noting_fill)
    monkeypatch.setattr(Secret, "__init__", noting_init)
    monkeypatch.setattr(BelvoAsyncError, "__new__", noting_new)
    ours, root = logging.getLogger("belvo_async"), logging.getLogger()
    level = ours.level
    # Thousands of simulated schedules would drown in debug lines, and hold no secret at all.
    ours.setLevel(logging.INFO if "simulation" in request.node.nodeid else logging.DEBUG)
    root.addHandler(watchman)
    yield watchman
    root.removeHandler(watchman)
    ours.setLevel(level)
    out, err = capsys.readouterr()
    watchman.said += [f"stdout: {out}", f"stderr: {err}"]
    leaks = watchman.find_leaks()
    watchman.errors.clear()
    watchman.provoked.clear()
    assert not leaks, f"a secret shows in: {leaks[:5]}"
