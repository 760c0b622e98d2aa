"""Every actor × every route × every method gets what the table says, and no refusal writes.

Where the method does not matter two actors stand for the twelve, but in the slow tests; of the
admin's pages the one who may most asks by one such method, another one from page to page.
"""

from zlib import crc32

import pytest
from django.db import connections
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from tests.payments.fakes import FakeDaraja

from .actors import ACTORS, World
from .bodies import ACTION, body_for
from .matrix_requests import FORBIDS, METHODS, rolled_back, send
from .routes import actions, routes
from .table import OF_GUESTS, TABLE

#: Asks for the database; the rows are the module's.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OTHERS = len(ACTORS) - 1
_OFFERED_TO = {"PUBLIC": "2" * len(ACTORS), "PRIVATE": "1" + "2" * OTHERS}
_NOT_OFFERED = {"PUBLIC": "." * len(ACTORS), "PRIVATE": "1" + "." * OTHERS}
#: Who may least and who may most.
EXTREMES = ("anonymous", "superuser")
#: What answers everybody alike, whoever asks: caches may keep it. All else is `no-store`.
MAY_BE_KEPT = {
    "",
    "pickup-points/",
    "robots.txt/",
    "shop/sitemap.xml/",
    "shop/sitemap-{part}.xml/",
    "categories/",
    "product/suggest/",
    "product/search/",
    "product/{category}/",
    "product/{product_id}/reviews/",
    "seller/{username}/",
    "schema/",
    "docs/",
    "media/{path}",
    "counties/",
}
#: What answers as GET does, and what describes the route to whoever may use it.
_ALIKE = ("HEAD", "OPTIONS")
#: The methods Django's pages tell apart, and those they answer as GET.
_OF_PAGES = ("GET", "POST")
_AS_GET = tuple(method for method in METHODS if method not in _OF_PAGES)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Rows made once; every request is rolled back to them."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, rolled_back():
        patch.setattr("payments.gateway.daraja", FakeDaraja)
        # Drawn a thousand times, what a refusal looks like would take half of the time:
        # tests/admin/test_sidebar.py looks at it.
        patch.setattr("accounts.backoffice.error_pages._page", _denied)
        _describe_once(patch)
        yield World()


def _denied(request, title, status, **_):
    return HttpResponse(title, status=status)


def _describe_once(patch):
    """Build and write the API's description once: it is the same for everybody."""
    built, written = {}, {}
    build, write = SchemaGenerator.get_schema, OpenApiYamlRenderer.render

    def get_schema(generator, request=None, public=False):
        if public not in built:
            built[public] = build(generator, request, public)
        return built[public]

    def render(renderer, data, *args, **kwargs):
        if not any(data is schema for schema in built.values()):
            return write(renderer, data, *args, **kwargs)
        if id(data) not in written:
            written[id(data)] = write(renderer, data, *args, **kwargs)
        return written[id(data)]

    patch.setattr(SchemaGenerator, "get_schema", get_schema)
    patch.setattr(OpenApiYamlRenderer, "render", render)


def expected(route, table=TABLE):
    """By method, the letters of all actors, in their order."""
    kind, *said = table[route].split()
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


def asking(route, method, letters):
    """Who asks in every run: all, or two where a method is not offered or answers as GET.

    The superuser's page takes as long as ten refusals, and is the same page by every such method.
    """
    if route.startswith("admin/") and method in _AS_GET:
        turn = _AS_GET[crc32(route.encode()) % len(_AS_GET)]
        return EXTREMES if method == turn else EXTREMES[:1]
    not_offered = "." in letters and {*letters} <= {*".1l"}
    return EXTREMES if not_offered or method in _ALIKE else ACTORS


def check(world, route, who_asks, table=TABLE, **values):
    """Ask by every method, ``who_asks(route, method, letters)``, and hold it to the table."""
    address = "/" + route.format_map(world.values(route) | values)
    is_page = route.startswith("admin/")
    body = {} if is_page else body_for(route, world)
    got, said, wrote, kept = {}, {}, [], []
    for method, letters in expected(route, table).items():
        for who in who_asks(route, method, letters):
            answer = send(world.clients[who], method, address, body, form=is_page)
            got[method, who] = answer.letter
            said[method, who] = letters[ACTORS.index(who)]
            if answer.letter in FORBIDS and answer.writes:
                wrote.append((method, who, answer.writes))
            if who != "anonymous" and answer.letter == "2" and answer.may_be_kept:
                kept.append(method)

    assert got == said
    assert wrote == []
    assert {*kept} - {"OPTIONS"} <= ({"GET", "HEAD"} if route in MAY_BE_KEPT else set())


ROUTES = [route for route in TABLE if " " not in route]


def test_observers_of_a_request_do_not_observe_the_next(world, monkeypatch):
    monkeypatch.setattr(connections["default"], "execute_wrappers", [])

    for _ in range(2):
        send(world.clients["buyer"], "GET", "/user/")

    (left,) = connections["default"].execute_wrappers
    assert type(left).__module__ == "omachemainproj.access_log"


def test_whoever_may_most_asks_for_pages_by_every_method():
    pages = [route for route in ROUTES if route.startswith("admin/")]
    asked = {
        method: sum("superuser" in asking(route, method, "2" * len(ACTORS)) for route in pages)
        for method in METHODS
    }

    assert asked["GET"] == asked["POST"] == len(pages)
    assert min(asked.values()) >= 20


@pytest.mark.cases(30)
@pytest.mark.parametrize("route", ROUTES)
def test_everybody_gets_what_the_table_says(world, route):
    check(world, route, asking)


@pytest.mark.parametrize("route", OF_GUESTS)
def test_everybody_gets_what_the_table_says_of_guests(world, route, settings):
    settings.GUEST_CHECKOUT = True

    check(world, route, asking, OF_GUESTS, order_token=world.of_guest.order_token)


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_everybody_gets_it_by_every_method(world, route):
    check(world, route, lambda route, method, letters: ACTORS)


@pytest.mark.parametrize("entry", [entry for entry in TABLE if " " in entry])
def test_an_action_writes_for_whom_the_table_says(world, entry):
    route, _, name = entry.partition(" ")
    form = {"action": name, "_selected_action": [world.row_for(route, name)], **ACTION}
    form["code"] = world.fetched.collection_code

    got = "".join(
        "w" if send(world.clients[who], "POST", f"/{route}", form, form=True).writes else "-"
        for who in ACTORS
    )

    letters = TABLE[entry].removeprefix("ACTION ")
    assert got == (letters * len(ACTORS) if len(letters) == 1 else letters)
