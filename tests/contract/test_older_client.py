"""An older client still gets every answer it got before, unchanged.

``recording.json`` was taken before issue 11. New fields may be added; a missing field or another
value fails. If an answer is changed on purpose, record it again, look at the difference, and say in
the commit why no client breaks:

    RECORD_CONTRACT=1 python -m pytest tests/contract
"""

import json
import os
from pathlib import Path

import pytest

from .client import play

RECORDING = Path(__file__).with_name("recording.json")
#: Ids start at 1 only on SQLite.
pytestmark = [
    pytest.mark.django_db(transaction=True, reset_sequences=True),
    pytest.mark.any_database,
]


def test_an_older_client_still_gets_everything_it_got_before():
    now = play()
    if os.environ.get("RECORD_CONTRACT"):
        RECORDING.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    before = json.loads(RECORDING.read_text())

    assert [step["request"] for step in now] == [step["request"] for step in before]
    changed = [
        f"{was['request']}: {found}"
        for was, step in zip(before, now, strict=True)
        for found in _missing(was, step)
    ]
    assert changed == []


def _missing(was, now, at=""):
    """The places where ``now`` lacks something ``was`` has."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was:
            if key in now:
                yield from _missing(was[key], now[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is gone"
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (each, one) in enumerate(zip(was, now, strict=True)):
            yield from _missing(each, one, f"{at}[{index}]")
    elif was != now:
        yield f"{at} was {was!r}, is {now!r}"
