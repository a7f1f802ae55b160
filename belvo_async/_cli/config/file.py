"""Reads the file into structs. What does not fit is told with its line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, cast

import msgspec

from ...errors import ConfigurationError
from ...planning import Prices
from .places import line_of

T = TypeVar("T")

# A day, a year or a month, as `--from` and `--to` take them.
Day: TypeAlias = int | str


class AccountEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose keys are used: in which environment variables they are.

    `env`: what stands for `BELVO` or `SYNTAGE` in their names; `variables`: other names, one by one.
    """

    vendor: str
    env: str | None = None
    variables: dict[str, str] = {}


class SubjectsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file with one subject a line."""

    file: str


class PlanEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plan of the file; fields as the options of the same names."""

    resource: str
    vendor: str | None = None
    account: str | None = None
    subjects: str | tuple[str, ...] | SubjectsFile = "all"
    first: Day | None = msgspec.field(default=None, name="from")
    last: Day | None = msgspec.field(default=None, name="to")
    directions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    into: str | None = None
    single: bool = False
    certificate: str | None = None
    max_cost: Decimal | int | None = None
    max_age: str | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says. `outputs` are sinks by a name; `into` is the one for plans that name none."""

    store: str | None = None
    into: str | None = None
    accounts: dict[str, AccountEntry] = {}
    plans: dict[str, PlanEntry] = {}
    outputs: dict[str, str] = {}
    prices: Prices | None = None
    prices_file: str | None = None


_TABLES: Final = ("accounts", "plans", "outputs")
_PLAIN: Final = ("store", "into")
_KNOWN: Final = (*_PLAIN, *_TABLES, "prices")


def read_config(path: Path) -> Config:
    """Read a file. Raises ConfigurationError with line and key, never with a value."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        given = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        hint = '; a month is written in quotes: "2021-03"' if _MONTH.search(text) else ""
        raise ConfigurationError(f"{path} is no TOML: {error}{hint}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no text in UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    return _FileReader(path, text).read(given)


class _FileReader:
    """One file being read."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    def read(self, given: Mapping[str, Any]) -> Config:
        self._refuse_secrets(given)
        for name in given:
            if name not in _KNOWN:
                self._fail((name,), f"is none of the keys of the file{_near(name, _KNOWN)}")
        plain = {name: self._one(given[name], str, (name,)) for name in _PLAIN if name in given}
        prices = given.get("prices")
        config = Config(
            **plain,
            accounts=self._each(given, "accounts", AccountEntry),
            plans=self._each(given, "plans", PlanEntry),
            outputs=self._each(given, "outputs", str),
            prices=self._prices(cast("Mapping[str, object]", prices)) if isinstance(prices, Mapping) else None,
            prices_file=None if prices is None or isinstance(prices, Mapping) else self._one(prices, str, ("prices",)),
        )
        self._check(config)
        return config

    def _each(self, given: Mapping[str, Any], table: str, kind: type[T]) -> dict[str, T]:
        entries = given.get(table, {})
        if not isinstance(entries, Mapping):
            self._fail((table,), f"must be a table, with one entry for each name: `[{table}.NAME]`")
        named = cast("Mapping[str, Any]", entries)
        return {name: self._one(value, kind, (table, name)) for name, value in named.items()}

    def _one(self, value: object, kind: type[T], at: tuple[str, ...]) -> T:
        try:
            return msgspec.convert(_plain(value), kind)
        except msgspec.ValidationError as error:
            said, _, below = str(error).partition(" - at `$")
            inner = tuple(re.findall(r"\.([^.\[\]`]+)", below.removesuffix("`")))
            unknown = re.fullmatch(r"Object contains unknown field `(.*)`", said)
            if unknown is not None:
                known = [field.encode_name for field in msgspec.structs.fields(cast("type[msgspec.Struct]", kind))]
                self._fail((*at, *inner, unknown[1]), f"is no key of that table{_near(unknown[1], known)}")
            self._fail((*at, *inner), _in_words(said))

    def _prices(self, given: Mapping[str, object]) -> Prices:
        try:
            return Prices.read(given, within="prices.")
        except ConfigurationError as error:
            key = tuple(str(error).split(" ", 1)[0].rstrip(":").split("."))
            raise ConfigurationError(f"{self._where(key)}: {error}") from None

    def _check(self, config: Config) -> None:
        if config.store is not None and re.match(r"\w+://[^/@\s]*:[^/@\s]*@", config.store):
            self._fail(("store",), "holds a password, and secrets do not belong in this file: set BELVO_ASYNC_STORE")
        for name, account in config.accounts.items():
            for key, value in (("env", account.env), *account.variables.items()):
                if value is not None and not _VARIABLE.fullmatch(value):
                    at = ("accounts", name, key) if key == "env" else ("accounts", name, "variables", key)
                    self._fail(at, "must be the name of an environment variable, or how such names begin: ACME_BELVO")
        for name, plan in config.plans.items():
            if plan.account is not None and plan.account not in config.accounts:
                known = ", ".join(config.accounts) or "none"
                self._fail(("plans", name, "account"), f"names none of the accounts of this file: {known}")
            if plan.account is None and plan.vendor is None:
                self._fail(("plans", name), "needs a `vendor`, or an `account` of this file")
            if plan.account is not None and plan.vendor not in (None, config.accounts[plan.account].vendor):
                self._fail(("plans", name, "vendor"), "is another one than that of its account: leave it out")

    def _refuse_secrets(self, given: Mapping[str, Any]) -> None:
        for path in _paths(given):
            if _SECRET.search(path[-1]) and path[-2:-1] != ("variables",):
                text = "looks like a secret, and secrets do not belong in this file: keep it in an environment variable"
                self._fail(path, f'{text}, and say in `[accounts.NAME]` how the variables begin: `env = "ACME"`')

    def _fail(self, key: tuple[str, ...], text: str) -> NoReturn:
        raise ConfigurationError(f"{self._where(key)}: {'.'.join(key)} {text}")

    def _where(self, key: tuple[str, ...]) -> str:
        line = line_of(self._text, key)
        return str(self._path) if line is None else f"{self._path}, line {line}"


_MONTH: Final = re.compile(r"^\s*(from|to)\s*=\s*\d{4}-\d{2}\s*(#.*)?$", re.MULTILINE)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECRET: Final = re.compile(r"secret|passw|pwd|token|api[-_]?key|credential|private", re.IGNORECASE)


def _paths(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        yield (*above, name)
        if isinstance(value, Mapping):
            yield from _paths(cast("Mapping[str, Any]", value), (*above, name))


def _plain(value: object) -> object:
    """An entry with its dates as texts: a day may be written either way."""
    if not isinstance(value, Mapping):
        return value
    table = cast("Mapping[str, object]", value)
    return {name: each.isoformat() if type(each) is date else each for name, each in table.items()}


def _near(name: str, known: tuple[str, ...] | list[str]) -> str:
    """What was meant, most likely; else all there is."""
    near = difflib.get_close_matches(name, known, 1)
    return f"; did you mean `{near[0]}`?" if near else f": {', '.join(known)}"


_WORDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date",
    "decimal": "a number",
    "null": "nothing",
    "float": "a number",
}


def _in_words(said: str) -> str:
    """Say in words of TOML what a decoder found; a key's own words stay."""
    missing = re.fullmatch(r"Object missing required field `(.*)`", said)
    if missing is not None:
        return f"needs the key `{missing[1]}`"
    wrong = re.fullmatch(r"Expected `(.*)`, got `(.*)`", said)
    if wrong is None:
        return f"cannot be read: {said}"
    wanted = [_WORDS.get(each.strip(), each.strip()) for each in wrong[1].split("|") if each.strip() != "null"]
    return f"must be {' or '.join(wanted)}, and is {_WORDS.get(wrong[2], wrong[2])}"
