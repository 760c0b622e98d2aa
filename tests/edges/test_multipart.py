"""Forms with files: bounded, and never a 500."""

import pytest

from tests.conftest import signed_in

from .pictures import png, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(buyer):
    return signed_in(buyer)


def patch(api, body, content_type="multipart/form-data; boundary=x", **extra):
    return api.generic("PATCH", "/account/", body, content_type=content_type, **extra)


PART = b'--x\r\nContent-Disposition: form-data; name="gender"\r\n\r\nher own\r\n--x--\r\n'


def test_a_form_is_read(api):
    response = patch(api, PART)

    assert response.status_code == 200
    assert response.json()["gender"] == "her own"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PART, "multipart/form-data"),
        (PART, "multipart/form-data; boundary="),
        (PART, "multipart/form-data; boundary=" + "x" * 300),
        (PART[:40], "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"\x00" * 100, "multipart/form-data; boundary=x"),
        (PART.replace(b"her own", b"\xff\xfe"), "multipart/form-data; boundary=x"),
        (PART.replace(b"gender", b"\xff\x00"), "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_makes_no_sense_is_no_500(api, body, content_type):
    assert patch(api, body, content_type).status_code in {200, 400, 415}


def test_nul_in_a_form_is_refused_on_its_field(api):
    response = patch(api, PART.replace(b"her own", b"her\x00own"))

    assert response.status_code == 400
    assert response.json() == {"gender": ["Null characters are not allowed."]}


def test_a_form_in_another_charset_is_a_415(api):
    assert patch(api, PART, "multipart/form-data; boundary=x; charset=utf-16").status_code == 415


def test_a_form_over_13_mb_is_a_413(api):
    response = patch(api, PART, CONTENT_LENGTH=str(13 * 1024 * 1024 + 1))

    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


def test_two_hundred_and_one_fields_are_refused(api):
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'

    response = patch(api, part * 201 + b"--x--\r\n")

    assert response.status_code == 400


def test_six_files_are_refused(api):
    response = api.patch(
        "/account/", {f"file{n}": upload(png()) for n in range(6)}, format="multipart"
    )

    assert response.status_code == 400
