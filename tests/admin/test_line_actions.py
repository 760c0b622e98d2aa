"""Moving lines in the admin: permissions, one by one, and no guessing of codes."""

import pytest

from accounts.backoffice.conflicts import ConflictOfInterest
from accounts.models import Audit
from orders.fulfilment import move_line
from orders.models import OrderTrack
from tests.factories import ProductFactory, UserFactory
from tests.shopping import paid_line, stock_of

from .browsers import browser_of, in_role
from .console import shown_messages

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]

LIST = "/admin/orders/ordertrack/"


@pytest.fixture
def line(buyer, kettle):
    """A paid line of two kettles."""
    return paid_line(buyer, kettle, 2)


@pytest.fixture
def agent(db):
    return browser_of(in_role("delivery"))


def do(client, name, *lines, **given):
    """Choose an action and answer what it asks, as a browser does."""
    form = {"action": name, "_selected_action": [line.pk for line in lines], "said": "yes", **given}
    return client.post(LIST, form, follow=True)


def ask(client, name, *lines):
    form = {"action": name, "_selected_action": [line.pk for line in lines]}
    return client.post(LIST, form)


def bring(line, *statuses):
    boss = UserFactory(is_superuser=True)
    for status in statuses:
        move_line(line.pk, status, actor=boss, note="On the phone")
    line.refresh_from_db()
    return line


def status_of(line):
    return OrderTrack.objects.values_list("track_status", flat=True).get(pk=line.pk)


def offered(client, line):
    """The moves that the line's page has buttons for."""
    return [name for name, _ in client.get(f"{LIST}{line.pk}/change/").context["buttons"].actions]


def wrong(line):
    return "000000" if line.collection_code != "000000" else "111111"


@pytest.mark.parametrize("name", ["to_fetched", "to_shipping"])
def test_an_agent_moves_a_line_along_the_road_and_it_is_on_record(agent, line, name):
    to = name.removeprefix("to_")
    if to == "shipping":
        bring(line, "fetched")
    before = line.track_status

    do(agent, name, line, why="Rider Otieno")

    event, kept = line.events.latest("pk"), Audit.objects.get()
    assert status_of(line) == to
    assert (event.track_status, event.actor.username, event.note) == (
        to,
        "delivery",
        "Rider Otieno",
    )
    assert (kept.actor.username, kept.why) == ("delivery", "Rider Otieno")
    assert kept.changes["track_status"] == [before, to]


def test_an_agent_delivers_by_the_buyers_code_which_is_not_kept(agent, line):
    bring(line, "fetched", "shipping")

    do(agent, "to_delivered", line, code=line.collection_code)

    kept = Audit.objects.get()
    assert status_of(line) == "delivered"
    assert line.events.latest("pk").note == "Collection code."
    assert line.collection_code not in f"{kept.did} {kept.why} {kept.changes}"


def test_wrong_codes_are_counted_and_after_five_the_right_one_is_refused(agent, line):
    bring(line, "fetched")

    left = ["4 tries are left.", "3 tries are left.", "2 tries are left.", "One try is left."]
    for count, tries in enumerate(left, 1):
        response = do(agent, "to_delivered", line, code=wrong(line))
        line.refresh_from_db()
        assert line.code_misses == count
        assert (
            f"2 × Kettle: This is not the buyer's code. Check it and try again. {tries}"
            in shown_messages(response)
        )
    do(agent, "to_delivered", line, code=wrong(line))
    response = do(agent, "to_delivered", line, code=line.collection_code)

    assert "Too many wrong codes" in shown_messages(response)[0]
    assert status_of(line) == "fetched"
    assert not Audit.objects.exists()


@pytest.mark.parametrize("given", [{}, {"why": "She has it"}, {"code": " "}])
def test_an_agent_delivers_nothing_without_the_code(agent, line, given):
    bring(line, "fetched")

    response = do(agent, "to_delivered", line, **given)

    assert "Enter the code the buyer received" in shown_messages(response)[0]
    assert status_of(line) == "fetched"


def test_staff_deliver_for_a_reason(support, line):
    bring(line, "fetched")

    do(support, "to_delivered", line, why="She called to say so")

    assert status_of(line) == "delivered"
    assert line.events.latest("pk").note == "She called to say so"


@pytest.mark.parametrize(
    ("role", "number", "fields"),
    [
        ("delivery", 1, ["code"]),
        ("delivery", 2, []),
        ("support", 1, ["code", "why"]),
        ("support", 2, ["why"]),
    ],
)
def test_a_handing_over_asks_for_what_fits(buyer, kettle, role, number, fields):
    lines = [paid_line(buyer, kettle) for _ in range(number)]

    page = ask(browser_of(in_role(role)), "to_delivered", *lines)

    assert list(page.context["form"].fields) == fields


def test_a_reason_is_needed_to_deliver_many(support, buyer, kettle):
    lines = [bring(paid_line(buyer, kettle), "fetched") for _ in range(2)]

    refused = do(support, "to_delivered", *lines)
    assert [status_of(line) for line in lines] == ["fetched", "fetched"]
    assert refused.context["form"].errors.keys() == {"why"}

    do(support, "to_delivered", *lines, why="Both buyers called")
    assert [status_of(line) for line in lines] == ["delivered", "delivered"]


def test_each_of_many_moves_by_itself_and_the_others_are_reported(agent, buyer, seller, kettle):
    pan = ProductFactory(seller=seller, name="Pan")
    ready, gone = paid_line(buyer, kettle), bring(paid_line(buyer, pan), "fetched", "delivered")

    response = do(agent, "to_fetched", gone, ready)

    assert (status_of(ready), status_of(gone)) == ("fetched", "delivered")
    assert shown_messages(response) == [
        "1 × Pan: This item is delivered. There is nothing more you can do with it.",
        "Fetched from the seller: 1 of 2 done.",
    ]


@pytest.mark.parametrize(("goods_there", "on_shelf"), [("yes", 5), ("no", 3)])
def test_support_cancels_a_line_and_says_whether_the_goods_are_there(
    support, line, kettle, goods_there, on_shelf
):
    do(support, "to_cancelled", line, why="Broken on the way", goods_there=goods_there)

    kept = Audit.objects.get()
    assert status_of(line) == "cancelled"
    assert stock_of(kettle) == (on_shelf, 0)
    assert (kept.why, "goods there" in kept.did) == ("Broken on the way", goods_there == "yes")


@pytest.mark.parametrize("given", [{"goods_there": "yes"}, {"why": "Broken"}])
def test_a_cancelling_needs_the_reason_and_the_goods(support, line, given):
    page = do(support, "to_cancelled", line, **given)

    assert len(page.context["form"].errors) == 1
    assert status_of(line) == "paid"


def test_an_agent_cancels_nothing(agent, line):
    response = do(agent, "to_cancelled", line, why="No more room", goods_there="yes")

    assert status_of(line) == "paid"
    assert shown_messages(response) == ["No action selected."]


@pytest.mark.parametrize(
    ("role", "on_the_way", "moves"),
    [
        ("delivery", [], ["to_fetched"]),
        ("delivery", ["fetched"], ["to_shipping", "to_delivered"]),
        ("delivery", ["fetched", "delivered"], []),
        ("support", [], ["to_fetched", "to_cancelled"]),
        ("support", ["fetched", "shipping"], ["to_delivered", "to_cancelled"]),
        ("support", ["cancelled"], []),
    ],
)
def test_a_lines_page_offers_the_moves_this_person_may_make(line, role, on_the_way, moves):
    bring(line, *on_the_way)

    assert offered(browser_of(in_role(role)), line) == moves


def test_nobody_is_offered_to_move_what_they_sell(line):
    person = in_role("support")
    OrderTrack.objects.filter(pk=line.pk).update(seller=person)
    client = browser_of(person)

    response = do(client, "to_fetched", line)

    assert offered(client, line) == []
    assert ConflictOfInterest.message in shown_messages(response)[0]
    assert status_of(line) == "paid"


def test_from_a_lines_page_the_way_leads_back_to_it(agent, line):
    here = f"{LIST}{line.pk}/change/"
    form = {"action": "to_fetched", "_selected_action": line.pk, "from_page": here}

    page = agent.post(LIST, form).content.decode()
    done = agent.post(LIST, {**form, "said": "yes"})

    assert f'<input type="hidden" name="from_page" value="{here}">' in page
    assert f'<a href="{here}" class="button cancel-link">Cancel</a>' in page
    assert done["Location"] == here


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://thief.example/admin/", "//thief.example/admin/", "/shop/", "yes", ""),
        *("/admin/find/?q=a%00b", "/admin/a%0ab/", "/admin/?q=%ff", "/admin/\n?q=a"),
    ],
)
def test_the_way_back_leads_to_no_page_but_the_admins(agent, line, elsewhere):
    form = {"action": "to_fetched", "_selected_action": line.pk, "from_page": elsewhere}

    done = agent.post(LIST, {**form, "said": "yes"})

    assert done["Location"] == LIST


def test_the_code_is_on_no_page_of_the_admin(support, line):
    pages = support.get(f"{LIST}{line.pk}/change/").content + support.get(LIST).content
    pages += ask(support, "to_delivered", line).content

    assert line.collection_code.encode() not in pages


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("delivery", "Order token or reference."),
        ("support", "Order token, reference, buyer’s user name, phone, or the recipient’s"),
    ],
)
def test_nobody_is_told_to_look_for_lines_by_what_finds_none_for_them(role, said):
    page = browser_of(in_role(role)).get("/admin/orders/ordertrack/").content.decode()

    assert f'id="searchbar_helptext">{said}' in page
