from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import F, Sum

from accounts.backoffice.roles import ROLES
from accounts.models import Address
from orders.models import PickupPoint
from products.demo.catalogue import CATALOGUE
from products.demo.pictures import draw
from products.demo.seed import (
    BUYERS,
    KEEPERS,
    PASSWORD,
    PHONES,
    SELLERS,
    STAFF,
    add_addresses,
    add_demo_shop,
)
from products.models import Category, Product


@pytest.fixture
def small(monkeypatch, settings, tmp_path):
    """One product per category, because each picture takes a tenth of a second."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(
        "products.demo.seed.CATALOGUE",
        {category: goods[:1] for category, goods in CATALOGUE.items()},
    )
    return tmp_path


def test_the_demo_sells_in_every_category():
    assert CATALOGUE.keys() == set(Category.values)
    assert sum(len(goods) for goods in CATALOGUE.values()) >= 60
    names = [goods.name for shelf in CATALOGUE.values() for goods in shelf]
    assert len(names) == len(set(names))


def test_the_demos_goods_keep_the_shops_limits():
    for goods in (goods for shelf in CATALOGUE.values() for goods in shelf):
        assert 1 <= goods.price <= 150_000
        assert 0 <= goods.item_number <= 100_000
        assert len(goods.name) <= 100
        assert 20 <= len(goods.description) <= 5000


@pytest.mark.django_db
def test_the_demo_furnishes_a_shop(small, client):
    added = add_demo_shop()

    assert added == (15, 8)
    assert len(list(Path(small).glob("products/*.webp"))) == 16
    home = client.get("/").json()
    assert all(len(shelf) == 1 and shelf[0]["thumbnail"] for shelf in home.values())
    assert set(Product.objects.values_list("seller__username", flat=True)) <= set(SELLERS)


@pytest.mark.django_db
def test_the_demos_people_can_sign_in(small):
    add_demo_shop()

    for username in (*SELLERS, *BUYERS, *STAFF, *KEEPERS.values(), "admin"):
        person = get_user_model().objects.get(username=username)
        assert person.check_password(PASSWORD)
        assert person.is_superuser is (username == "admin")


@pytest.mark.django_db
def test_the_demo_has_one_of_each_kind_of_staff(small):
    add_demo_shop()

    staff = get_user_model().objects.filter(is_staff=True, is_superuser=False)
    roles = {person.username: [group.name for group in person.groups.all()] for person in staff}
    assert roles == {role: [role] for role in ROLES}


@pytest.mark.django_db
@pytest.mark.parametrize("times", [1, 2])
def test_one_pick_up_point_has_an_agent_of_its_own_without_a_role(small, times):
    for _ in range(times):
        call_command("demo", "--without-story")

    agents = {
        point.name: [person.username for person in point.agents.all()]
        for point in PickupPoint.objects.all()
    }
    assert agents.pop("Kilimani Pick-up") == ["faith"]
    assert list(agents.values()) == [["delivery"]] * 4
    faith = get_user_model().objects.get(username="faith")
    assert (faith.is_staff, faith.groups.count(), faith.has_perm("orders.move_track")) == (
        False,
        0,
        False,
    )


@pytest.mark.django_db
def test_furnishing_again_changes_nothing(small):
    add_demo_shop()
    Product.objects.filter(name=CATALOGUE["kitchen"][0].name).update(price=7, listed=False)
    before = list(Product.objects.order_by("pk").values())

    assert add_demo_shop() == (0, 0)
    assert list(Product.objects.order_by("pk").values()) == before


@pytest.mark.django_db
def test_the_demos_stock_equals_its_movements(small):
    add_demo_shop()

    stocked = Product.objects.annotate(moved=Sum("movements__quantity"))
    assert not stocked.exclude(item_number=F("moved")).filter(item_number__gt=0).exists()


def test_the_demo_is_refused_in_production(settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="cannot run in production"):
        call_command("demo")


@pytest.mark.django_db
def test_the_command_says_who_is_there(small, capsys):
    call_command("demo")

    said = capsys.readouterr().out
    assert "Added 15 people and 8 products." in said
    assert PASSWORD in said


def test_a_picture_is_drawn_the_same_every_time():
    assert draw("kettle", "Kettle", "kitchen") == draw("kettle", "Kettle", "kitchen")


@pytest.mark.parametrize("category", CATALOGUE)
def test_every_product_of_the_demo_has_a_picture_that_can_be_drawn(category):
    icons = {goods.icon for goods in CATALOGUE[category]}

    assert all(draw(icon, "Name", category).startswith(b"\x89PNG") for icon in icons)


@pytest.mark.django_db
def test_everybody_who_sells_says_where_their_goods_are_collected(small):
    add_demo_shop()

    places = Address.objects.collection_places().values_list("user__username", flat=True)
    assert sorted(places) == sorted(SELLERS)
    assert (
        dict(get_user_model().objects.exclude(phone="").values_list("username", "phone")) == PHONES
    )


@pytest.mark.django_db
def test_addresses_are_added_once_and_to_those_who_have_none(small):
    add_demo_shop()
    there = sorted(Address.objects.values_list("pk", "area"))
    Address.objects.filter(user__username="otieno").delete()

    assert (add_addresses(), add_addresses()) == (1, 0)
    assert Address.objects.count() == len(there)
    assert Address.objects.get(user__username="otieno").is_default
