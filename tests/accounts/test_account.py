"""/account/: four fields, and a picture that comes and goes cleanly."""

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from accounts import services
from accounts.models import User
from accounts.services import details
from omachemainproj.images import normalise_own
from tests.conftest import signed_in
from tests.edges.pictures import encode, png, png_claiming, reopen, upload
from tests.threads import at_once

pytestmark = pytest.mark.django_db

EMPTY = {"first_name": "", "last_name": "", "avatar": None, "gender": ""}


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    """Run what waits for a commit, as a commit would."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def send(client, method="patch", **fields):
    return getattr(client, method)("/account/", fields, format="multipart")


def test_the_account_is_exactly_four_fields(amina_api):
    response = amina_api.get("/account/")

    assert response.status_code == 200
    assert response.json() == EMPTY
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_strangers_read_and_change_nothing(api, db, method):
    assert getattr(api, method)("/account/").status_code == 401


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_texts_are_changed_as_json_or_multipart(amina_api, method, kind):
    fields = {"first_name": "Amina", "last_name": "Wanjikũ", "gender": "woman"}

    response = getattr(amina_api, method)("/account/", fields, format=kind)

    assert response.status_code == 200
    assert response.json() == {**fields, "avatar": None}
    assert amina_api.get("/account/").json() == {**fields, "avatar": None}


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_field_left_out_stays_as_it_is(amina_api, media, method):
    send(amina_api, first_name="Amina", gender="woman", avatar=upload(png()))

    response = getattr(amina_api, method)("/account/", {"gender": ""})

    assert response.json()["first_name"] == "Amina"
    assert response.json()["avatar"] is not None
    assert response.json()["gender"] == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_name", "x" * 151),
        ("last_name", "x" * 151),
        ("gender", "x" * 31),
        ("first_name", None),
        ("gender", []),
        ("last_name", {"a": 1}),
        ("gender", True),
    ],
)
def test_a_bad_text_is_refused_on_its_field(amina_api, field, value):
    response = amina_api.patch("/account/", {field: value})

    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_other_columns_are_left_alone(amina, amina_api):
    before = User.objects.values().get()

    amina_api.patch(
        "/account/",
        {"username": "x", "email": "x@y.co", "is_staff": True, "password": "x", "id": 9},
    )

    assert User.objects.values().get() == before


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_avatar_is_redrawn_and_answered_as_an_absolute_address(amina_api, media, method):
    raw = encode(Image.new("RGB", (1000, 500), "red"), "JPEG")

    response = send(amina_api, method, avatar=upload(raw, "me.jpg", "image/jpeg"))

    (name,) = media()
    with default_storage.open(f"avatars/{name}") as file:
        kept = reopen(file)
    assert response.status_code == 200
    assert response.json()["avatar"] == f"http://testserver/media/avatars/{name}"
    assert (kept.format, kept.size) == ("WEBP", (400, 200))


def test_a_new_avatar_deletes_the_one_before_after_the_commit(amina, amina_api, media, commits):
    send(amina_api, avatar=upload(png()))
    (before,) = media()

    with commits():
        send(amina_api, avatar=upload(png(colour="blue")))
        assert len(media()) == 2

    assert media() == [User.objects.get().avatar.name.removeprefix("avatars/")]
    assert before not in media()


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_null_takes_the_avatar_away(amina_api, media, commits, kind):
    send(amina_api, avatar=upload(png()))

    with commits():
        nothing = None if kind == "json" else ""
        response = amina_api.patch("/account/", {"avatar": nothing}, format=kind)

    assert response.json()["avatar"] is None
    assert media() == []


def test_taking_no_avatar_away_is_no_error(amina_api, media):
    response = amina_api.patch("/account/", {"avatar": None})

    assert response.json() == EMPTY


@pytest.mark.parametrize("kind", ["json", "multipart"])
def test_an_account_that_was_read_can_be_put_back(amina_api, media, kind):
    send(amina_api, avatar=upload(png()), first_name="Amina")
    body = amina_api.get("/account/").json()

    response = amina_api.put("/account/", body, format=kind)

    assert response.status_code == 200
    assert response.json() == body
    assert len(media()) == 1


@pytest.mark.parametrize(
    "address", ["http://testserver/media/avatars/other.webp", "http://[bad", "/etc/passwd"]
)
def test_another_address_is_no_avatar(amina_api, media, address):
    send(amina_api, avatar=upload(png()))

    response = amina_api.patch("/account/", {"avatar": address})

    assert response.status_code == 400
    assert list(response.json()) == ["avatar"]


def test_nothing_in_the_place_of_an_avatar_takes_it_away(amina_api, media):
    send(amina_api, avatar=upload(png()))

    response = amina_api.patch("/account/", {"avatar": ""})

    assert (response.status_code, response.json()["avatar"]) == (200, None)


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", png_claiming(9400, 9400)]
)
def test_a_bad_picture_is_a_400_on_its_field_and_changes_nothing(amina_api, media, raw):
    response = send(amina_api, first_name="Amina", avatar=upload(raw))

    assert response.status_code == 400
    assert list(response.json()) == ["avatar"]
    assert amina_api.get("/account/").json() == EMPTY
    assert media() == []


def test_a_change_that_fails_leaves_no_file_behind(amina, media, monkeypatch):
    monkeypatch.setattr(details, "update_columns", lambda user, changes: 1 / 0)
    picture = _picture()

    with pytest.raises(ZeroDivisionError):
        services.change_account(amina, {}, picture)

    assert media() == []


def test_a_bad_text_beside_a_good_picture_leaves_no_file_behind(amina_api, media):
    response = send(amina_api, gender="x" * 31, avatar=upload(png()))

    assert response.status_code == 400
    assert media() == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_avatars_at_once_leave_one_file(amina, media):
    client, other = signed_in(amina), signed_in(amina)
    send(client, avatar=upload(png()))

    at_once(
        lambda: send(client, avatar=upload(png(colour="blue"))),
        lambda: send(other, avatar=upload(png(colour="green"))),
    )

    assert media() == [User.objects.get().avatar.name.removeprefix("avatars/")]


def test_reading_and_changing_cost_few_queries(amina_api, django_assert_num_queries):
    # the person
    with django_assert_num_queries(1):
        amina_api.get("/account/")
    # the person, the update
    with django_assert_num_queries(2):
        amina_api.patch("/account/", {"first_name": "Amina"})


def _picture():
    return normalise_own(png())
