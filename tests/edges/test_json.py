"""Bodies: what could be read in two ways is refused, and nothing a client sends is a 500."""

import json

import pytest
from django.test import Client

from omachemainproj.api.parsers import load_strict_json
from omachemainproj.strict_json import MAX_DEPTH

PATH = "/token/verify/"


def post(body, content_type="application/json", **extra):
    return Client().post(PATH, body, content_type=content_type, **extra)


def refusal(raw):
    try:
        load_strict_json(raw)
    except ValueError as error:
        return str(error)
    pytest.fail("it was read")


def nested(depth, opening=b"[", closing=b"]"):
    return opening * depth + b"1" + closing * depth


def test_valid_json_is_read():
    raw = '{"name": "Wanjikũ", "n": [1, -2.5, 1e3, true, null], "o": {"k": "🙂"}}'.encode()

    assert load_strict_json(raw) == {
        "name": "Wanjikũ",
        "n": [1, -2.5, 1000.0, True, None],
        "o": {"k": "🙂"},
    }


def test_a_pair_of_halves_is_one_character():
    assert load_strict_json(rb'"\ud83d\ude42"') == "🙂"


@pytest.mark.parametrize(
    "raw",
    [b'{"price": 1, "price": 2}', b'[{"a": {"b": 1, "b": 1}}]', rb'{"a": 1, "\u0061": 2}'],
)
def test_a_key_that_comes_twice_is_refused(raw):
    assert refusal(raw) == "The JSON has the same key twice in one object."


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_an_invalid_number_is_refused(number):
    assert refusal(number.encode()) == f"{number} is not a number in JSON."


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 400 + b".0", b"0." + b"1" * 30])
def test_infinite_and_endless_fractions_are_refused(number):
    assert refusal(number) == "A number is infinite or has more than 30 digits."


@pytest.mark.parametrize("number", [b"9" * 30, b"-" + b"9" * 30])
def test_thirty_digits_are_a_number(number):
    assert load_strict_json(number) == int(number)


@pytest.mark.parametrize("number", [b"9" * 31, b"-" + b"9" * 31, b"9" * 60_000])
def test_thirty_one_digits_are_not(number):
    assert refusal(number) == "A number has more than 30 digits."


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_twenty_levels_are_read(opening, closing):
    assert load_strict_json(nested(MAX_DEPTH, opening, closing)) is not None


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 30_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deeper_ones_are_refused(depth, opening, closing):
    assert refusal(nested(depth, opening, closing)) == "The JSON is nested deeper than 20 levels."


def test_an_unclosed_heap_of_brackets_is_refused():
    assert refusal(b"[" * 60_000) == "The JSON is nested deeper than 20 levels."


@pytest.mark.parametrize(
    "raw",
    [rb'"a\u0000b"', rb'{"a\u0000": 1}', rb'["\ud800"]', rb'{"\udfff": 1}', rb'"\ude42\ud83d"'],
)
def test_texts_no_database_keeps_are_refused(raw):
    assert refusal(raw).startswith("A text contains")


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'{"a": "\xe9"}'])
def test_bytes_that_are_not_utf_8_are_refused(raw):
    assert refusal(raw) == "The body is not UTF-8."


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1] [2]",
        b"\xef\xbb\xbf{}",
        b'"\n"',
        b"01",
        b"tru",
    ],
)
def test_invalid_json_is_refused(raw):
    assert refusal(raw).startswith("The body is not JSON")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"NaN", b"1e400", b"[" * 60_000, b'"\xff"', b'{"a":1,"a":1}', rb'{"token": "\u0000"}'],
)
def test_a_body_that_cannot_be_read_is_a_400_with_a_code(db, raw):
    response = post(raw)

    assert response.status_code == 400
    assert set(response.json()) == {"detail", "code"}
    assert response.json()["code"] == "parse_error"


def test_a_body_of_64_kb_is_read(db):
    frame = len(json.dumps({"token": "a", "x": ""}))
    body = json.dumps({"token": "a", "x": "y" * (64 * 1024 - frame)})

    assert len(body) == 64 * 1024
    assert post(body).status_code == 401


def test_a_body_of_a_byte_more_is_a_413(db):
    response = post(json.dumps("x" * (64 * 1024 - 1)))

    assert response.status_code == 413
    assert response.json() == {"detail": "The body is larger than 64 kB.", "code": "too_large"}


def test_a_body_that_says_it_is_longer_is_not_even_read(db):
    response = post(b'{"token": "a"}', CONTENT_LENGTH=str(64 * 1024 + 1))

    assert response.status_code == 413


def test_a_body_longer_than_it_says_is_read_no_further(db):
    response = post(b'{"token": "a"}' + b" " * 100_000, CONTENT_LENGTH="14")

    assert response.status_code == 401


@pytest.mark.parametrize("length", ["-5", "abc", "²", "1e3"])
def test_a_length_that_is_no_number_is_no_500(db, length):
    assert post(b'{"token": "a"}', CONTENT_LENGTH=length).status_code == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/json;charset=utf8",
    ],
)
def test_utf_8_may_be_named(db, content_type):
    assert post(b'{"token": "a"}', content_type).status_code == 401


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7; charset=utf-8",
        "application/json; charset=",
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "garbage",
        "",
    ],
)
def test_anything_else_is_a_415(db, content_type):
    response = post(b'{"token": "a"}', content_type)

    assert response.status_code == 415
    assert set(response.json()) == {"detail", "code"}


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"true", b"null", b'[{"token": "a"}]'])
def test_a_body_of_another_shape_is_a_400(db, body):
    response = post(body)

    assert response.status_code == 400
    assert list(response.json()) == ["non_field_errors"]


def test_no_body_at_all_is_a_body_without_fields(db):
    response = Client().generic("POST", PATH)

    assert response.status_code == 400
    assert response.json() == {"token": ["This field is required."]}


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html, */*;q=0.8"])
def test_json_is_sent_to_clients_that_accept_it(db, accept):
    response = post(b"{}", HTTP_ACCEPT=accept)

    assert response["Content-Type"] == "application/json"
    assert response.status_code == 400


def test_a_client_that_accepts_no_json_gets_406(db):
    response = post(b"{}", HTTP_ACCEPT="text/html")

    assert response.status_code == 406
    assert response.json()["code"] == "not_acceptable"
