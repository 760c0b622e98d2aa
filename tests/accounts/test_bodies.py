"""Whatever is sent to the account endpoints, none of them falls over."""

import pytest

from tests.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

OPEN = [
    "/registration/",
    "/login/",
    "/logout/",
    "/token/verify/",
    "/token/refresh/",
    "/password/reset/",
    "/password/reset/confirm/",
]
SIGNED_IN = [("post", "/password/change/"), ("put", "/user/"), ("put", "/account/")]
DOORS = [("post", path) for path in OPEN] + SIGNED_IN

FIELDS = [
    "username", "email", "password", "password1", "password2", "old_password", "new_password1",
    "new_password2", "refresh", "token", "uid", "first_name", "last_name", "gender", "avatar",
]  # fmt: skip


@pytest.fixture
def client(amina):
    return signed_in(amina)


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("body", ["[]", "[1]", '"text"', "5", "true", "null", "[[]]", '[{"a":1}]'])
def test_a_body_that_is_no_object_is_a_400(client, method, path, body):
    response = client.generic(method.upper(), path, body, content_type="application/json")

    assert response.status_code == 400
    assert list(response.json()) == ["non_field_errors"]


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**29,
        "",
        " ",
        [],
        [[]],
        {},
        {"a": []},
        "x" * 60_000,
        "\u202e",
        "'--",
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_of_any_kind_is_never_a_500(client, method, path, value):
    body = dict.fromkeys(FIELDS, value)

    response = getattr(client, method)(path, body)

    assert response.status_code < 500
    if response.status_code != 413:
        assert response.status_code in {200, 201, 400, 401}


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_json_is_what_they_read(client, method, path, content_type):
    response = client.generic(method.upper(), path, "a=1", content_type=content_type)

    assert response.status_code == 415
    assert set(response.json()) == {"detail", "code"}


@pytest.mark.parametrize("path", [*OPEN, "/password/change/", "/user/"])
def test_forms_are_for_pictures_alone(client, path):
    response = client.post(path, {"username": "a"}, format="multipart")

    assert response.status_code in {405, 415}


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_both_spellings_of_the_address_are_read(client, method, path):
    with_slash = getattr(client, method)(path, {})
    without = getattr(client, method)(path.rstrip("/"), {})

    assert without.status_code == with_slash.status_code
    assert without.status_code not in {301, 302, 404}
