import pytest
from django.utils import timezone

from accounts.models import Audit
from payments.people.erasure import erase_account
from products.models import Product, SearchWord, StockMovement
from tests.factories import ProductFactory, UserFactory

from .conftest import sell_out

LIST = "/admin/products/product/"


@pytest.fixture
def staff(client, db):
    client.force_login(
        UserFactory(username="admin", is_staff=True, is_superuser=True),
        backend="accounts.backends.UsernameOrEmailBackend",
    )
    return client


def shown(response):
    assert response.status_code == 200
    return [product.name for product in response.context["cl"].result_list]


def edit(client, product, **changes):
    form = {
        "name": product.name,
        "description": product.description,
        "category": product.category,
        "price": product.price,
        "movements-TOTAL_FORMS": 0,
        "movements-INITIAL_FORMS": 0,
    }
    return client.post(f"{LIST}{product.pk}/change/", {**form, **changes})


@pytest.mark.parametrize(
    ("typed", "found"),
    [("kett", ["Steel kettle"]), ("AMINA", ["Steel kettle"]), ("nothing", []), ("%", [])],
)
def test_staff_find_products_by_words_or_seller(staff, listing, typed, found):
    listing("Steel kettle", seller="amina")
    listing("Sofa", seller="baraka")

    rows = shown(staff.get(LIST, {"q": typed}))

    assert rows == (found if typed != "%" else ["Sofa", "Steel kettle"])


def test_staff_find_a_product_by_its_number(staff, listing):
    listing("Kettle")
    sofa = listing("Sofa")

    assert shown(staff.get(LIST, {"q": sofa.pk})) == ["Sofa"]
    assert shown(staff.get(LIST, {"q": "9" * 40})) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [("category__exact=gaming", ["Pad"]), ("listed__exact=0", ["Hidden"])],
)
def test_staff_narrow_the_list(staff, listing, query, found):
    listing("Pad", category="gaming")
    hidden = listing("Hidden")
    Product.objects.filter(pk=hidden.pk).update(listed=False)

    assert shown(staff.get(f"{LIST}?{query}")) == found


def test_the_list_costs_the_same_for_one_product_or_many(staff, django_assert_max_num_queries):
    for _ in range(8):
        ProductFactory()

    # session, user, count of at most 1000 (twice), products with sellers
    with django_assert_max_num_queries(6):
        staff.get(LIST)


def test_stock_is_shown_and_cannot_be_typed(staff, kettle):
    sell_out(kettle)

    response = edit(staff, kettle, item_number=99, held=0, seller=1, listed="")

    assert response.status_code == 302
    kettle.refresh_from_db()
    assert (kettle.item_number, kettle.held, kettle.soldout) == (5, 5, True)
    assert kettle.listed is True
    page = staff.get(f"{LIST}{kettle.pk}/change/").content.decode()
    assert 'name="item_number"' not in page
    assert 'name="held"' not in page


def test_an_edit_does_not_undo_a_sale_made_while_the_form_was_open(
    staff, kettle, monkeypatch, django_user_model
):
    from products.admin import ProductAdmin

    save = ProductAdmin.save_model

    def sold_in_between(self, request, obj, form, change):
        Product.objects.filter(pk=obj.pk).update(item_number=3, held=1)
        save(self, request, obj, form, change)

    monkeypatch.setattr(ProductAdmin, "save_model", sold_in_between)

    edit(staff, kettle, price=999)

    kettle.refresh_from_db()
    assert (kettle.price, kettle.item_number, kettle.held) == (999, 3, 1)


def test_the_listing_of_a_deleted_seller_is_not_listed_again(staff, kettle):
    Product.objects.update(listed=False)
    erase_account(kettle.seller, timezone.now())

    form = {"action": "show", "_selected_action": [kettle.pk], "said": "yes"}
    response = staff.post(LIST, {**form, "why": "They came back"}, follow=True)

    assert "Its seller&#x27;s account is closed." in response.content.decode()
    kettle.refresh_from_db()
    assert kettle.listed is False


def test_a_new_name_enters_the_vocabulary(staff, kettle):
    edit(staff, kettle, name="Sufuria")

    kettle.refresh_from_db()
    assert kettle.name == "Sufuria"
    assert SearchWord.objects.filter(word="sufuria").exists()


@pytest.mark.parametrize(("field", "value"), [("price", 0), ("price", 150_001), ("name", "")])
def test_staff_keep_the_shops_limits(staff, kettle, field, value):
    response = edit(staff, kettle, **{field: value})

    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {field}


def test_staff_hide_and_show_products_and_it_is_written_down(staff, kettle):
    for action, listed in (("hide", False), ("show", True)):
        form = {"action": action, "_selected_action": [kettle.pk], "said": "yes"}
        staff.post(LIST, {**form, "why": "A copy of another"})
        kettle.refresh_from_db()
        assert kettle.listed is listed

    kept = Audit.objects.order_by("pk").values_list("why", "changes__listed")
    assert list(kept) == [
        ("A copy of another", [True, False]),
        ("A copy of another", [False, True]),
    ]


def test_without_a_reason_no_product_is_hidden(staff, kettle):
    staff.post(LIST, {"action": "hide", "_selected_action": [kettle.pk], "said": "yes"})

    kettle.refresh_from_db()
    assert kettle.listed
    assert not Audit.objects.exists()


def test_no_product_is_added_or_deleted_in_the_admin(staff, kettle):
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.post(f"{LIST}{kettle.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Product.objects.filter(pk=kettle.pk).exists()


def test_the_latest_movements_are_shown_to_read(staff, kettle):
    StockMovement.objects.bulk_create(
        StockMovement(product=kettle, quantity=-1, reference=f"order:{number:03}")
        for number in range(30)
    )

    page = staff.get(f"{LIST}{kettle.pk}/change/").content.decode()

    assert "order:029" in page
    assert "order:020" in page
    assert "order:019" not in page


def test_the_admin_previews_pictures(staff, listing, png):
    from omachemainproj.images import normalise_own

    product = listing(picture=normalise_own(png))

    assert product.thumbnail.url in staff.get(LIST).content.decode()
    assert product.thumbnail.url in staff.get(f"{LIST}{product.pk}/change/").content.decode()
