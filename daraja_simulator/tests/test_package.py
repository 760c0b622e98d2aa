"""The package's files, changelog and README match the code."""

import re
import tomllib
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest

import daraja_simulator
from daraja_simulator.behaviour import NAMED_OUTCOMES, NAMED_REFUSALS, OPERATIONS, Script

HERE = Path(daraja_simulator.__file__).parent
README = (HERE / "README.md").read_text("utf-8")


def test_the_wheel_holds_every_file_the_page_is_made_of():
    built = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))
    patterns = built["tool"]["hatch"]["build"]["targets"]["wheel"]["include"]
    read = re.findall(r'"(phone[^"]*)"', (HERE / "page.py").read_text("utf-8"))

    assert len(read) == 4
    assert [name for name in read if not any(fnmatch(f"/{name}", p) for p in patterns)] == []


def test_the_changelog_begins_with_this_version():
    newest = re.search(r"^## (\S+)", (HERE / "CHANGELOG.md").read_text("utf-8"), re.M)

    assert newest is not None
    assert newest.group(1) == daraja_simulator.__version__


@pytest.mark.parametrize(
    "name", [*(f.name for f in fields(Script)), *OPERATIONS, *NAMED_OUTCOMES, *NAMED_REFUSALS]
)
def test_the_readme_names_whatever_a_script_may_say(name):
    assert f"`{name}`" in README
