"""The pictures of a product, their order and their sizes."""

import io
from pathlib import Path

import pytest
from PIL import Image

from omachemainproj.images import normalise_own
from products.listings.pictures import (
    add_picture,
    draw_sizes,
    order_pictures,
    pictures_missing_sizes,
)
from products.models import Product, ProductPicture
from tests.edges.pictures import encode, upload
from tests.threads import at_once


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files(media):
    return sorted(path.name for path in Path(media).glob("products/*"))


#: Enough for every size; drawing them takes a quarter of a second.
LARGE = (2000, 1000)


def photo(size=(60, 30), colour="red"):
    return encode(Image.new("RGB", size, colour), "JPEG")


def picture(**how):
    return normalise_own(photo(**how), gallery=True)


def post(client, product, raw=None):
    return client.post(
        f"/product/{product.pk}/pictures/", {"image": upload(raw or photo())}, format="multipart"
    )


def sizes(shown):
    return [(size["width"], size["height"]) for size in shown["sizes"]]


def reopen(media, url):
    return Image.open(io.BytesIO((Path(media) / url.split("/media/")[1]).read_bytes()))


def test_a_picture_is_drawn_in_every_size(seller_api, kettle, media):
    (shown,) = post(seller_api, kettle, photo(LARGE)).json()

    assert sizes(shown) == [(400, 200), (800, 400), (1600, 800)]
    assert (shown["preview"]["width"], shown["preview"]["height"]) == (600, 300)
    for file in (*shown["sizes"], shown["preview"]):
        drawn = reopen(media, file["url"])
        assert drawn.size == (file["width"], file["height"])
        assert drawn.format == ("JPEG" if file is shown["preview"] else "WEBP")


@pytest.mark.parametrize(
    ("size", "drawn", "preview"),
    [
        ((40, 30), [(40, 30)], (40, 30)),
        ((500, 250), [(400, 200), (500, 250)], (500, 250)),
        ((800, 800), [(400, 400), (800, 800)], (600, 600)),
        ((801, 801), [(400, 400), (800, 800), (801, 801)], (600, 600)),
        ((1, 1), [(1, 1)], (1, 1)),
    ],
)
def test_small_pictures_are_not_enlarged(seller_api, kettle, size, drawn, preview):
    (shown,) = post(seller_api, kettle, photo(size)).json()

    assert sizes(shown) == drawn
    assert (shown["preview"]["width"], shown["preview"]["height"]) == preview


def test_a_preview_is_small_enough_for_a_chat_and_on_white(media, seller_api, kettle):
    clear = encode(Image.new("RGBA", (900, 900), (0, 0, 0, 0)), "PNG")
    (shown,) = post(seller_api, kettle, clear).json()

    preview = reopen(media, shown["preview"]["url"])

    assert preview.getpixel((300, 300)) == (255, 255, 255)
    noise = encode(Image.effect_noise((2000, 2000), 120).convert("RGB"), "JPEG")
    assert len(normalise_own(noise, gallery=True).preview.read()) < 300_000


def test_the_first_is_the_products_own(seller_api, api, kettle):
    first = post(seller_api, kettle, photo((500, 250))).json()[0]
    post(seller_api, kettle)

    body = api.get(f"/product/{kettle.pk}/").json()

    assert len(body["pictures"]) == 2
    assert body["image"] == first["sizes"][-1]["url"]
    assert body["thumbnail"] == first["sizes"][0]["url"]


def test_a_listing_comes_with_its_picture_in_every_size(seller_api, offer):
    sent = {**offer, "image": upload(photo(LARGE))}

    created = seller_api.post("/create/", sent, format="multipart")

    (shown,) = created.json()["pictures"]
    assert sizes(shown) == [(400, 200), (800, 400), (1600, 800)]


def test_pictures_are_put_in_another_order(seller_api, api, kettle):
    for _ in range(3):
        post(seller_api, kettle)
    a, b, c = (row["id"] for row in api.get(f"/product/{kettle.pk}/").json()["pictures"])

    response = seller_api.put(f"/product/{kettle.pk}/pictures/", {"order": [c, str(a), b]})

    assert [row["id"] for row in response.json()] == [c, a, b]
    assert (
        api.get(f"/product/{kettle.pk}/").json()["image"] == response.json()[0]["sizes"][-1]["url"]
    )


def test_an_order_names_every_picture_once(seller_api, kettle):
    ids = [post(seller_api, kettle).json()[-1]["id"] for _ in range(2)]
    address = f"/product/{kettle.pk}/pictures/"

    for wrong in ([], ids[:1], [*ids, ids[0]], [ids[0], 10**9], [ids[0], "x"], None):
        assert seller_api.put(address, {"order": wrong}).status_code == 400
    said = seller_api.put(address, {"order": ids[:1]}).json()
    assert said == {"order": [f"List every picture of the product once: {ids[0]}, {ids[1]}."]}


def test_pictures_after_a_deleted_one_move_up(
    seller_api, api, kettle, media, django_capture_on_commit_callbacks
):
    ids = [post(seller_api, kettle, photo(LARGE)).json()[-1]["id"] for _ in range(3)]
    before = set(files(media))

    with django_capture_on_commit_callbacks(execute=True):
        gone = seller_api.delete(f"/product/{kettle.pk}/pictures/{ids[0]}/")

    body = api.get(f"/product/{kettle.pk}/").json()
    assert gone.status_code == 204
    assert [row["id"] for row in body["pictures"]] == ids[1:]
    assert body["image"] == body["pictures"][0]["sizes"][-1]["url"]
    assert len(before - set(files(media))) == 4
    assert list(kettle.pictures.order_by("place").values_list("place", flat=True)) == [0, 1]


def test_the_last_one_gone_leaves_none(seller_api, api, kettle):
    pk = post(seller_api, kettle).json()[0]["id"]
    seller_api.delete(f"/product/{kettle.pk}/pictures/{pk}/")

    body = api.get(f"/product/{kettle.pk}/").json()

    assert (body["pictures"], body["image"], body["thumbnail"]) == ([], None, None)


def test_an_image_that_is_changed_takes_the_first_place(seller_api, kettle):
    ids = [post(seller_api, kettle).json()[-1]["id"] for _ in range(2)]

    body = seller_api.patch(
        f"/product/{kettle.pk}/", {"image": upload(photo(colour="blue"))}, format="multipart"
    ).json()

    shown = [row["id"] for row in body["pictures"]]
    assert len(shown) == 2
    assert shown[1] == ids[1]
    assert shown[0] not in ids
    assert body["image"] == body["pictures"][0]["sizes"][-1]["url"]


def test_an_image_that_is_taken_away_lets_the_second_be_first(seller_api, kettle):
    ids = [post(seller_api, kettle).json()[-1]["id"] for _ in range(2)]

    body = seller_api.patch(f"/product/{kettle.pk}/", {"image": None}, format="json").json()

    assert [row["id"] for row in body["pictures"]] == ids[1:]
    assert body["image"] == body["pictures"][0]["sizes"][-1]["url"]


def test_eight_are_taken_and_no_ninth_leaves_a_file(seller_api, kettle, media):
    for _ in range(8):
        add_picture(kettle.pk, picture(size=(20, 20)))
    before = files(media)

    ninth = post(seller_api, kettle)

    assert (ninth.status_code, ninth.json()["code"]) == (409, "too_many_pictures")
    assert files(media) == before


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_eighth_pictures_at_once_one_is_taken(kettle):
    for _ in range(7):
        add_picture(kettle.pk, picture(size=(20, 20)))

    outcomes = at_once(*[lambda: add_picture(kettle.pk, picture(size=(20, 20)))] * 2)

    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each).__name__ for each in refused] == ["TooManyPictures"]
    assert list(kettle.pictures.order_by("place").values_list("place", flat=True)) == [*range(8)]


@pytest.mark.parametrize("sent", [{"image": "data:image/png;base64,AAAA"}, {}, {"image": ""}])
def test_a_picture_that_is_not_a_file_is_refused_with_instructions(seller_api, kettle, sent):
    response = seller_api.post(f"/product/{kettle.pk}/pictures/", sent, format="json")

    assert (response.status_code, list(response.json())) == (400, ["image"])


def test_a_picture_in_base64_that_outgrew_json_is_told_of_forms(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "image": "A" * 70_000}, format="json")

    assert response.status_code == 413
    assert response.json()["detail"] == (
        "The body is larger than 64 kB. Send pictures as files, in a form (multipart/form-data)."
    )


def test_a_picture_in_a_text_is_told_of_forms(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "image": "AAAA"}, format="json")

    assert response.json() == {
        "image": ["Send the picture as a file, in a form (multipart/form-data)."]
    }


def test_an_empty_picture_is_none(seller_api, offer):
    response = seller_api.post("/create/", {**offer, "image": ""}, format="json")

    assert (response.status_code, response.json()["image"]) == (201, None)


@pytest.fixture
def old(kettle):
    """A picture uploaded when there were only two sizes."""
    two = normalise_own(photo(LARGE))
    kettle.image.save(two.full.name, two.full)
    kettle.thumbnail.save(two.thumbnail.name, two.thumbnail)
    return ProductPicture.objects.create(
        product=kettle, image=kettle.image.name, thumbnail=kettle.thumbnail.name
    )


def test_an_old_picture_is_shown_until_its_sizes_are_drawn(api, kettle, old):
    (shown,) = api.get(f"/product/{kettle.pk}/").json()["pictures"]

    assert sizes(shown) == [(None, None), (None, None)]
    assert shown["preview"] is None


def test_the_sizes_of_an_old_picture_are_drawn_once(api, kettle, old, media):
    before = files(media)

    assert draw_sizes(old.pk) is True
    assert draw_sizes(old.pk) is False

    (shown,) = api.get(f"/product/{kettle.pk}/").json()["pictures"]
    assert sizes(shown) == [(400, 200), (800, 400), (1600, 800)]
    assert set(files(media)) - set(before) == {
        url.rsplit("/", 1)[1] for url in (shown["sizes"][1]["url"], shown["preview"]["url"])
    }
    assert not pictures_missing_sizes().exists()


def cut_short():
    whole = encode(Image.new("RGB", (600, 300), "red"), "JPEG")
    return whole[: len(whole) // 2]


@pytest.mark.parametrize("broken", [b"", b"RIFF", cut_short(), None])
def test_an_old_picture_that_cannot_be_read_stays_and_is_not_tried_again(old, media, broken):
    path = Path(media) / old.image.name
    path.unlink() if broken is None else path.write_bytes(broken)

    assert draw_sizes(old.pk) is False
    assert not pictures_missing_sizes().exists()


def test_pictures_cost_a_product_no_query_of_their_own(api, kettle, django_assert_num_queries):
    for _ in range(3):
        add_picture(kettle.pk, picture(size=(20, 20)))

    with django_assert_num_queries(1):
        assert len(api.get(f"/product/{kettle.pk}/").json()["pictures"]) == 3
    with django_assert_num_queries(1):
        assert len(api.get("/product/kitchen/?fields=pictures").json()[0]["pictures"]) == 3


def test_an_order_sent_twice_is_the_same(kettle):
    ids = [add_picture(kettle.pk, picture(size=(20, 20))).pk for _ in range(2)]

    for _ in range(2):
        order_pictures(kettle.pk, ids[::-1])

    assert list(kettle.pictures.order_by("place").values_list("pk", flat=True)) == ids[::-1]
    assert Product.objects.get().image.name == ProductPicture.objects.get(pk=ids[1]).image.name


def test_bytes_are_a_picture_whatever_they_are_called(seller_api, kettle):
    sent = upload(io.BytesIO(photo()).getvalue(), "../x.php", "text/html")

    response = seller_api.post(
        f"/product/{kettle.pk}/pictures/", {"image": sent}, format="multipart"
    )

    assert response.status_code == 201
