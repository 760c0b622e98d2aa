"""The page of a product: stock, pictures, sales and reservations."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.backoffice.conflicts import ConflictOfInterest
from accounts.models import Audit
from products import stock
from products.models import MAX_PICTURES, ProductPicture
from products.stock import StockLine
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order, delivered_line, paid_line

from .browsers import browser_of, in_role, row_url
from .console import shown_messages
from .pages import buttons, cells, content, facts, sections

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgres]


@pytest.fixture
def keeper(db):
    return browser_of(in_role("catalogue"))


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def upload(colour="red", name="kettle.png"):
    kept = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(kept, "PNG")
    return SimpleUploadedFile(name, kept.getvalue(), "image/png")


def change(client, product, key, **given):
    return client.post(f"/admin/products/product/{product.pk}/pictures/{key}/", given, follow=True)


def pictures(product):
    return list(ProductPicture.objects.filter(product=product.pk).order_by("place"))


@pytest.fixture
def three(keeper, kettle):
    """The ids of a kettle's three pictures, in their order."""
    for colour in ("red", "green", "blue"):
        change(keeper, kettle, "add", picture=upload(colour))
    return [picture.pk for picture in pictures(kettle)]


def test_the_page_shows_stock_reserved_and_sold(keeper, buyer, kettle):
    paid_line(buyer, kettle, 2)
    an_order(buyer, (kettle, 1))
    kettle.refresh_from_db()

    told = facts(keeper, kettle, "summary")

    assert "On sale" in told["lead"]
    assert (told["Price"], told["Sold"]) == ("KES 1,500", "2")
    assert (told["On the shelf"], told["Held for unpaid orders"], told["Free to sell"]) == (
        str(kettle.item_number),
        "1",
        str(kettle.item_number - 1),
    )
    assert told["Paid to"].endswith("0722 000 000</a>")
    # Whose page this role may not open: a name, and no link.
    assert told["Seller"] == "amina"


def test_catalogue_sees_stock_and_pictures_and_no_orders(keeper, buyer, kettle):
    line = delivered_line(buyer, kettle)

    assert sections(keeper, kettle) == ["summary", "pictures", "movements"]
    assert line.order.reference not in keeper.get(row_url(kettle)).content.decode()


def test_who_sees_all_sees_sales_and_holds(staff_browser, buyer, kettle):
    line = paid_line(buyer, kettle, 2)
    unpaid = an_order(buyer, (kettle, 1))

    assert sections(staff_browser, kettle) == ["summary", "pictures", "movements", "holds", "sales"]
    ((order, number, _),) = cells(staff_browser, kettle, "holds")
    assert (order, number) == (f'<a href="{row_url(unpaid)}">{unpaid.reference}</a>', "1")
    assert cells(staff_browser, kettle, "sales")[1][:2] == [
        f'<a href="{row_url(line)}">2 × Kettle</a>',
        f'<a href="{row_url(line.order)}">{line.order.reference}</a>',
    ]


def test_the_newest_movements_come_first_and_the_list_has_the_others(keeper, staff, kettle):
    for number in range(12):
        stock.restock(StockLine(kettle.pk, 1), reference=f"restock:{number}", actor_id=staff.pk)

    told = content(keeper, kettle, "movements")

    assert [row[1:4] for row in told.rows[:2]] == [
        ("+1", "restock:11", "boss"),
        ("+1", "restock:10", "boss"),
    ]
    assert len(told.rows) == 10
    assert told.more.url == f"/admin/products/stockmovement/?product={kettle.pk}"
    assert keeper.get(told.more.url).context["cl"].result_count == 13


def test_a_product_is_unlisted_and_listed_again_from_its_page(keeper, kettle):
    here = row_url(kettle)
    form = {"_selected_action": kettle.pk, "from_page": here, "said": "yes", "why": "A fake"}
    assert buttons(keeper, kettle) == ["hide"]

    done = keeper.post("/admin/products/product/", {**form, "action": "hide"})

    kettle.refresh_from_db()
    assert (done["Location"], kettle.listed) == (here, False)
    assert buttons(keeper, kettle) == ["show"]
    assert "Unlisted" in facts(keeper, kettle, "summary")["lead"]


def test_a_picture_is_added_and_on_record(keeper, kettle):
    answer = change(keeper, kettle, "add", picture=upload())

    (picture,) = pictures(kettle)
    kettle.refresh_from_db()
    kept = Audit.objects.get()
    assert shown_messages(answer) == ["Add a picture: done."]
    assert kettle.image.name == picture.image.name
    assert (kept.actor.username, kept.did) == ("catalogue", "Add a picture (kettle.png)")
    assert kept.changes["image"] == ["", picture.image.name]


def test_several_pictures_are_added_at_once_each_on_record_and_what_is_none_is_named(
    keeper, kettle
):
    broken = SimpleUploadedFile("broken.png", b"no picture", "image/png")

    answer = change(keeper, kettle, "add", picture=[upload(), broken, upload()])

    assert len(pictures(kettle)) == 2
    assert Audit.objects.filter(did__startswith="Add a picture").count() == 2
    assert shown_messages(answer)[0].startswith("broken.png: ")
    assert shown_messages(answer)[1] == "Add a picture: 2 of 3 done."


def test_pictures_are_put_into_another_order(keeper, kettle, three):
    red, green, blue = three

    change(keeper, kettle, "earlier", which=blue)
    assert [picture.pk for picture in pictures(kettle)] == [red, blue, green]

    change(keeper, kettle, "later", which=red)
    assert [picture.pk for picture in pictures(kettle)] == [blue, red, green]


def test_at_an_end_a_picture_stays(keeper, kettle, three):
    change(keeper, kettle, "earlier", which=three[0])
    change(keeper, kettle, "later", which=three[2])

    assert [picture.pk for picture in pictures(kettle)] == three


def test_a_picture_is_replaced_in_its_place(
    keeper, kettle, three, media, django_capture_on_commit_callbacks
):
    before = pictures(kettle)[1]

    with django_capture_on_commit_callbacks(execute=True):
        change(keeper, kettle, "replace", which=three[1], picture=upload("black"))

    now = pictures(kettle)
    assert [now[0].pk, now[2].pk] == [three[0], three[2]]
    assert now[1].pk not in three
    assert not (media / before.image.name).exists()
    assert (media / now[1].image.name).exists()


def test_the_first_replaced_is_what_lists_show(keeper, kettle, three):
    change(keeper, kettle, "replace", which=three[0], picture=upload("black"))

    kettle.refresh_from_db()
    assert kettle.image.name == pictures(kettle)[0].image.name


def test_a_picture_is_removed(keeper, kettle, three):
    change(keeper, kettle, "remove", which=three[0])

    kettle.refresh_from_db()
    assert [picture.pk for picture in pictures(kettle)] == three[1:]
    assert kettle.image.name == pictures(kettle)[0].image.name


@pytest.mark.parametrize("key", ["remove", "earlier", "later", "replace"])
def test_another_products_picture_is_none_of_its(keeper, kettle, three, key):
    other = ProductFactory()

    answer = change(keeper, other, key, which=three[0], picture=upload())

    assert shown_messages(answer) == ["There is no such picture."]
    assert [picture.pk for picture in pictures(kettle)] == three


def test_beyond_the_most_none_is_added(keeper, kettle):
    for _ in range(MAX_PICTURES):
        change(keeper, kettle, "add", picture=upload())

    answer = change(keeper, kettle, "add", picture=upload())

    assert "at most 8 pictures" in shown_messages(answer)[0]
    assert len(pictures(kettle)) == MAX_PICTURES
    assert 'id="add-picture"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"picture": SimpleUploadedFile("a.png", b"<svg onload=alert(1)>")}, "not a JPEG"),
        ({}, "This field is required."),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(keeper, kettle, sent, words):
    for each in sent.values():
        each.seek(0)

    answer = change(keeper, kettle, "add", **sent)

    assert words in shown_messages(answer)[0]
    assert pictures(kettle) == []


@pytest.mark.parametrize("role", ["support", "finance", "delivery"])
def test_no_other_role_changes_pictures(role, kettle):
    answer = change(browser_of(in_role(role)), kettle, "add", picture=upload())

    assert answer.status_code == 403
    assert pictures(kettle) == []


def test_who_only_looks_has_no_buttons(kettle, three):
    from django.contrib.auth.models import Permission

    watcher = UserFactory(is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client = browser_of(watcher)

    assert content(client, kettle, "pictures").of["may_change"] is False
    assert buttons(client, kettle) == []
    assert "pictures/remove/" not in client.get(row_url(kettle)).content.decode()


def test_nobody_changes_the_pictures_of_what_they_sell(db):
    seller = in_role("catalogue")
    product = ProductFactory(seller=seller)

    answer = change(browser_of(seller), product, "add", picture=upload())

    assert shown_messages(answer) == [ConflictOfInterest.message]
    assert pictures(product) == []
    assert Audit.objects.get().did == "Refused, own interest: Add a picture (kettle.png)"


def test_of_an_unknown_action_or_product_there_is_no_page(keeper, kettle):
    assert change(keeper, kettle, "paint").status_code == 404
    assert keeper.post("/admin/products/product/999/pictures/add/").status_code == 404
    assert keeper.get(f"/admin/products/product/{kettle.pk}/pictures/add/").status_code == 405


@pytest.mark.parametrize(("role", "most"), [("catalogue", 11), ("superuser", 11)])
def test_a_popular_product_costs_what_another_does(
    buyer, kettle, role, most, django_assert_num_queries
):
    who = UserFactory(is_staff=True, is_superuser=True) if role == "superuser" else in_role(role)
    client = browser_of(who)
    paid_line(buyer, kettle)
    an_order(buyer, (kettle, 1))
    client.get(row_url(kettle))
    with django_assert_num_queries(most):
        client.get(row_url(kettle))

    type(kettle).objects.filter(pk=kettle.pk).update(item_number=90)
    for _ in range(12):
        paid_line(UserFactory(), kettle)
    with django_assert_num_queries(most) as seen:
        client.get(row_url(kettle))

    assert not any("COUNT(" in query["sql"] for query in seen.captured_queries)
