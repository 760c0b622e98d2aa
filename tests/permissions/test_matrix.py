"""Every actor × every route × every method gets what the table says, and no refusal writes."""

import pytest

from tests.payments.fakes import FakeDaraja

from .actors import ACTORS, World
from .asking import FORBIDS, METHODS, ask, undone
from .bodies import ACTION, BODIES
from .routes import actions, routes
from .table import TABLE

#: Asks for the database; the rows are the module's.
pytestmark = pytest.mark.django_db

OTHERS = len(ACTORS) - 1
_OFFERED_TO = {"PUBLIC": "2" * len(ACTORS), "PRIVATE": "1" + "2" * OTHERS}
_NOT_OFFERED = {"PUBLIC": "." * len(ACTORS), "PRIVATE": "1" + "." * OTHERS}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Rows made once; every request is rolled back to them."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, undone():
        patch.setattr("payments.gateway.daraja", FakeDaraja)
        yield World()


def expected(route):
    """By method, the letters of all actors."""
    kind, *said = TABLE[route].split()
    told = {}
    for part in said:
        method, _, letters = part.partition("=")
        told[method] = letters * len(ACTORS) if len(letters) == 1 else letters
    told.setdefault("HEAD", told.get("GET", _NOT_OFFERED.get(kind)))
    if kind == "PAGE":
        return {method: told.get(method, told["GET"]) for method in METHODS}
    rest = dict.fromkeys(METHODS, _NOT_OFFERED[kind]) | {"OPTIONS": _OFFERED_TO[kind]}
    return rest | told


def test_every_route_has_a_line_and_every_line_a_route():
    there = {*routes(), *actions()}
    missing, gone = sorted(there - TABLE.keys()), sorted(TABLE.keys() - there)

    assert not missing, f"Say in tests/permissions/table.py who may do what with: {missing}"
    assert not gone, f"Take these out of tests/permissions/table.py, they are no more: {gone}"


@pytest.mark.parametrize("route", [route for route in TABLE if " " not in route])
def test_everybody_gets_what_the_table_says(world, route):
    address = "/" + route.format_map(world.values(route))
    is_page = route.startswith("admin/")
    body = {} if is_page else BODIES.get(route)
    got, wrote = {}, []
    for method in METHODS:
        asked = [ask(world.clients[who], method, address, body, form=is_page) for who in ACTORS]
        got[method] = "".join(answer.letter for answer in asked)
        wrote += [
            (method, who, answer.writes)
            for who, answer in zip(ACTORS, asked, strict=True)
            if answer.letter in FORBIDS and answer.writes
        ]

    assert got == expected(route)
    assert wrote == []


@pytest.mark.parametrize("entry", [entry for entry in TABLE if " " in entry])
def test_an_action_writes_for_whom_the_table_says(world, entry):
    route, _, name = entry.partition(" ")
    form = {"action": name, "_selected_action": [world.row_for(route, name)], **ACTION}
    form["code"] = world.fetched.collection_code

    got = "".join(
        "w" if ask(world.clients[who], "POST", f"/{route}", form, form=True).writes else "-"
        for who in ACTORS
    )

    letters = TABLE[entry].removeprefix("ACTION ")
    assert got == (letters * len(ACTORS) if len(letters) == 1 else letters)
