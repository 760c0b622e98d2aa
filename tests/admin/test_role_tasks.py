"""docs/admin.md counts the clicks of each role's commonest tasks as the browser tests do."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STORIES = ROOT / "storefront" / "e2e"
ROLES = ["support", "finance", "catalogue", "delivery", "owner"]
_JOB = re.compile(r'\bjob\(\s*page,\s*"([^"]+)",\s*(\d+),')
_ROW = re.compile(r"^\| (\w+) \| (.+) \| (\d+) \|$", re.MULTILINE)


def walked(role):
    """The jobs that a role's story walks, with the presses that it insists on."""
    story = (STORIES / f"admin-{role}.spec.ts").read_text()
    return [(name, int(presses)) for name, presses in _JOB.findall(story)]


@pytest.mark.parametrize("role", ROLES)
def test_the_table_of_jobs_is_what_the_stories_walk(role):
    rows = _ROW.findall((ROOT / "docs" / "admin.md").read_text())

    assert [(job, int(presses)) for who, job, presses in rows if who == role] == walked(role)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_ten_commonest_jobs_walked(role):
    assert len(walked(role)) >= 10
