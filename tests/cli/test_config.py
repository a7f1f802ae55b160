"""The file `belvo-async.toml`: what it may say, and how what does not fit is told."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from belvo_async import ConfigurationError
from belvo_async._cli.config import AccountEntry, Config, SubjectsFile, read_config
from belvo_async._cli.config.places import line_of
from belvo_async._cli.plans.accounts import vendor_of

WHOLE = """\
store = "sqlite:jobs.db"
into = "lake"

[accounts.acme]
vendor = "belvo"
env = "ACME_BELVO"

[outputs]
lake = "parquet:sat"

[prices]
currency = "MXN"
belvo = 1.50
syntage.invoice = { low = 10, high = 23 }

[plans.invoices]
account = "acme"
resource = "invoices"
subjects = ["a", "b"]
from = 2021
to = 2025-12-31
max_cost = 500

[plans.status]
vendor = "syntage"
resource = "tax_status"
subjects = { file = "entities.txt" }
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "belvo-async.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_a_whole_file(tmp_path: Path) -> None:
    """Accounts, outputs, prices and plans by their names; days in either form."""
    config = read(tmp_path, WHOLE)

    assert ("sqlite:jobs.db", "lake", {"lake": "parquet:sat"}) == (config.store, config.into, config.outputs)
    assert {"acme": AccountEntry(vendor="belvo", env="ACME_BELVO")} == config.accounts
    assert config.prices is not None
    price = config.prices.price("belvo", "INVOICES")
    assert price is not None
    assert Decimal("1.50") == price.low
    invoices, status = config.plans.values()
    assert (("a", "b"), 2021, "2025-12-31", 500) == (
        invoices.subjects,
        invoices.first,
        invoices.last,
        invoices.max_cost,
    )
    assert SubjectsFile(file="entities.txt") == status.subjects


PAGES = ("command-line.md", "getting-started.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_files_of_the_pages_can_be_read(tmp_path: Path, page: str) -> None:
    """Each is one that a stranger may copy."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")

    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)

    assert blocks
    for block in blocks:
        assert read(tmp_path, block).plans


PLAN = '[plans.a]\nvendor = "belvo"\nresource = "invoices"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("store = \n", None, "is no TOML: Invalid value (at line 1, column 9)", id="syntax"),
        pytest.param(f"{PLAN}to = 2021-03\n", None, 'a month is written in quotes: "2021-03"', id="a month"),
        pytest.param('stroe = "x"\n', 1, "did you mean `store`?", id="unknown key"),
        pytest.param(f"# one\n{PLAN}form = 2021\n", 5, "plans.a.form is no key of that table; did you mean `from`?"),
        pytest.param('[plans.a]\nvendor = "belvo"\n', 1, "plans.a needs the key `resource`", id="missing"),
        pytest.param(f"{PLAN}single = 3\n", 4, "plans.a.single must be true or false, and is a whole number"),
        pytest.param(f"{PLAN}directions = [1]\n", 4, "must be a text, and is a whole number", id="in a list"),
        pytest.param('[plans.a]\nresource = "x"\n', 1, "needs a `vendor`, or an `account`", id="whose"),
        pytest.param(f'{PLAN}account = "b"\n', 4, "names none of the accounts of this file: none", id="no account"),
        pytest.param('plans = "x"\n', 1, "must be a table", id="no table"),
        pytest.param('[accounts.a]\nvendor = "belvo"\nenv = "low"\n', 3, "the name of an environment variable"),
        pytest.param("\n[prices]\nbelvo = -1\n", 3, "prices.belvo must be a number that is not negative", id="price"),
        pytest.param('store = "postgresql://me:hush@host/db"\n', 1, "holds a password", id="store"),
    ],
)
def test_what_does_not_fit_is_told_with_line_and_key(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    """And never with a value: it may be a secret in the wrong place."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)

    said = str(caught.value)
    assert words in said
    assert line is None or said.startswith(f"{tmp_path / 'belvo-async.toml'}, line {line}: ")
    assert "hush" not in said


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "hush"\n',
        '[accounts.a]\nvendor = "syntage"\napi_key = "hush"\n',
        '[accounts]\na = { vendor = "belvo", secret_password = "hush" }\n',
        '[accounts.a]\nvendor = "belvo"\nsecret_id = "hush"\n',
        '[plans.a]\ntoken = "hush"\n',
    ],
)
def test_secrets_are_refused(tmp_path: Path, text: str) -> None:
    """They do not belong in the file, wherever they stand: it says where they do."""
    with pytest.raises(ConfigurationError, match="looks like a secret") as caught:
        read(tmp_path, text)

    assert "hush" not in str(caught.value)
    assert "environment variable" in str(caught.value)


def test_an_account_reads_variables_of_its_own() -> None:
    """By how they begin, or one by one; what is missing is named as the user named it."""
    environ = {"ACME_SECRET_ID": "id", "ACME_SECRET_PASSWORD": "password", "ELSEWHERE": "other"}

    by_prefix = vendor_of(AccountEntry(vendor="belvo", env="ACME"), lambda: environ)
    one_by_one = vendor_of(
        AccountEntry(
            vendor="belvo", variables={"BELVO_SECRET_ID": "ELSEWHERE", "SECRET_PASSWORD": "ACME_SECRET_PASSWORD"}
        ),
        lambda: environ,
    )

    assert by_prefix.account != one_by_one.account
    for account, words in (
        (AccountEntry(vendor="belvo"), "needs the environment variables BELVO_SECRET_ID and BELVO_SECRET_PASSWORD"),
        (AccountEntry(vendor="belvo", env="OTHER"), "OTHER_SECRET_ID and OTHER_SECRET_PASSWORD"),
        (AccountEntry(vendor="syntage", variables={"API_KEY": "ELSE"}), "needs the environment variable ELSE"),
        (AccountEntry(vendor="bancomer"), "no vendor is called 'bancomer': write belvo or syntage"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            vendor_of(account, lambda: environ)
        assert words in str(caught.value)
    with pytest.raises(ConfigurationError, match="ACME_BASE_URL"):
        vendor_of(
            AccountEntry(vendor="belvo", env="ACME"), lambda: environ | {"ACME_BASE_URL": "http://relay.example.com"}
        )


TRICKY = '''\
a = """
[plans.a]
b = 1
"""
[plans."a.b"] # a comment [
list = [
  "x = 1", # ]
  "[y]",
]
c.d = 2
[[plans.e]]
f = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("plans", "a.b"), 5),
        (("plans", "a.b", "list"), 6),
        (("plans", "a.b", "c"), 10),
        (("plans", "a.b", "c", "d"), 10),
        (("plans", "a.b", "nowhere"), 5),
        (("plans", "e", "f"), 12),
        (("b",), None),
        (("plans", "a"), 5),
    ],
)
def test_keys_are_found_where_they_stand(path: tuple[str, ...], line: int | None) -> None:
    """Not within texts and lists; of what is not there, its table."""
    assert line == line_of(TRICKY, path)


@given(st.text(alphabet="ab.=[]\"'#\n 1", max_size=60))
def test_no_text_is_too_odd_to_be_searched(text: str) -> None:
    """What the parser took is searched without an error, whatever it is."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return

    assert line_of(text, ("a", "b")) in (None, *range(1, text.count("\n") + 2))
