"""What lies around the package: the files that others expect to find, held against each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from belvo_async._cli.arguments import make_parser

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SYSTEMS = ("linux", "macos", "windows")


def steps(job: str) -> str:
    return "\n".join(each.get("run", "") for each in WORKFLOW["jobs"][job]["steps"])


def test_every_system_is_asked_with_every_python() -> None:
    """Those that the package names, from the oldest it takes on."""
    named = {each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if ":: Python :: 3." in each}
    asked = [WORKFLOW["jobs"][system]["strategy"]["matrix"]["python"] for system in SYSTEMS]

    assert [["3.11", "3.12", "3.13", "3.14"]] * 3 == asked
    assert named <= set(asked[0])
    assert f">={asked[0][0]}" == PROJECT["project"]["requires-python"]


def test_servers_are_on_linux_only() -> None:
    """Elsewhere, what needs one skips."""
    servers = {system: set(WORKFLOW["jobs"][system].get("services", {})) for system in SYSTEMS}

    assert {"linux": {"postgres", "redis", "rabbitmq"}, "macos": set(), "windows": set()} == servers
    assert "1" == WORKFLOW["jobs"]["linux"]["env"]["BELVO_ASYNC_REQUIRE_SERVERS"]


def test_the_workflow_asks_what_ci_asks() -> None:
    """Each tool of `.ci/run` is one of the workflow's; paths of tests in it are there."""
    run = (ROOT / ".ci/run").read_text(encoding="utf-8")
    every = "\n".join(steps(job) for job in WORKFLOW["jobs"])
    tools = set(re.findall(r"\.venv/bin/(ruff check|ruff format|mypy|pyright|pytest|belvo-async demo)", run))

    assert {tool for tool in tools if tool not in every} == set()
    assert [] == [path for path in re.findall(r"\btests/\S+", every) if not (ROOT / path).exists()]


def test_only_a_system_nobody_has_seen_holds_nothing_up() -> None:
    """What is said of it in the pages goes with the mark in the workflow."""
    lenient = {name for name, job in WORKFLOW["jobs"].items() if job.get("continue-on-error")}

    assert {"windows"} == lenient
    assert "nothing, ever" in (ROOT / "docs/systems.md").read_text(encoding="utf-8")


def test_the_image_has_no_rights_and_no_secrets() -> None:
    """It runs as nobody in particular; nothing is given to its build."""
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

    assert ["10001:10001"] == users
    assert not re.search(r"^ARG\b|KEY|SECRET|PASSWORD|TOKEN|AUTH", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"python:(3\.\d+)-slim", DOCKERFILE)) <= set(
        WORKFLOW["jobs"]["linux"]["strategy"]["matrix"]["python"]
    )


def test_the_image_is_made_of_what_the_build_needs() -> None:
    """Everything is left out but what is named; what is named is there, and is all that the wheel is built from."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    project = PROJECT["project"]

    assert "*" == rules[0]
    assert [] == [name for name in kept if not (ROOT / name).exists()]
    assert {"pyproject.toml", project["readme"], *project["license-files"], "belvo_async"} == set(kept)


@pytest.mark.parametrize(
    "name", ["SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs", "tests", ".ci", ".github"]
)
def test_the_source_package_is_whole(name: str) -> None:
    """Whoever has it alone finds the pages, which name each other by relative paths, and can test it."""
    assert name in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]


def test_what_the_command_says_of_an_image_can_be_typed() -> None:
    """The image's default command is one that the command line takes."""
    found = re.search(r"^CMD \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    options = make_parser().parse_args(re.findall(r'"([^"]*)"', found[1]))

    assert ("0.0.0.0", 8080) == (options.host, options.port)
    assert f"EXPOSE {options.port}" in DOCKERFILE.splitlines()
