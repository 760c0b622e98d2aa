"""What a client says of its charset changes nothing of how an address or a form is read."""

import pytest

pytestmark = pytest.mark.django_db

#: Codecs that make no text, that raise, or that make other characters of checked ones.
CHARSETS = ["hex", "base64", "rot13", "undefined", "idna", "punycode", "unicode_escape"]


def ask(client, path="/", query="", content_type="", body=b"", method="GET"):
    """The status of the answer. A ``Content-Type`` is sent with an empty body too."""
    headers = {"QUERY_STRING": query, "CONTENT_TYPE": content_type}
    return client.generic(method, path, body, content_type, **headers).status_code


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("path", ["/", "/livez/", "/product/search/"])
def test_a_query_is_read_as_utf8_whatever_charset_is_named(client, path, charset):
    assert ask(client, path, "search=kettle", f"text/plain; charset={charset}") == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "a; charset*=BOGUS''x",
        "a; x*=BOGUS''%41",
        f"a; x*{'9' * 5000}*=a",
        "a; x*=bogus''%ff",
        "; charset=hex",
    ],
)
def test_a_parameter_that_cannot_be_read_is_no_error(client, content_type):
    assert ask(client, "/", "", content_type) == 200


def test_no_half_character_comes_by_a_charset_that_escapes(client):
    escaped = "text/plain; charset=unicode_escape"

    assert ask(client, "/product/search/", "search=%5Cud800", escaped) == 200
    assert ask(client, "/product/search/", "utm_x=%5Cud800&search=%5Cx00", escaped) == 200


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_admins_forms_are_read_as_utf8(client, charset):
    body = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n\\ud800\r\n--x--\r\n'
    kind = f"multipart/form-data; boundary=x; charset={charset}"

    # The page again, which says what is missing.
    assert ask(client, "/admin/login/", "", kind, body, "POST") == 200


def test_a_part_in_a_charset_that_does_not_exist_is_left_out(client):
    body = b"--x\r\nContent-Disposition: form-data; name*=BOGUS''%41\r\n\r\na\r\n--x--\r\n"

    assert ask(client, "/admin/login/", "", "multipart/form-data; boundary=x", body, "POST") == 200


def test_an_api_body_in_another_charset_is_refused(client):
    assert ask(client, "/cart/", "", "application/json; charset=utf-16", b"[]", "POST") == 415
