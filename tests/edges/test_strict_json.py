"""The reader of strangers' JSON: what it reads, and which rule each refusal is of."""

from decimal import Decimal

import pytest

from omachemainproj.strict_json import MAX_DEPTH, MAX_DIGITS, Fault, NotStrictJson, read_json


def fault(body, **how):
    with pytest.raises(NotStrictJson) as refused:
        read_json(body, **how)
    return refused.value.fault


def test_fractions_are_read_as_they_are_written():
    body = '{"name": "Wanjikũ 🙂", "n": [1, -2.50, 1e3, true, null], "o": {}}'.encode()

    document = read_json(body)

    assert document == {
        "name": "Wanjikũ 🙂",
        "n": [1, Decimal("-2.5"), Decimal(1000), True, None],
        "o": {},
    }
    assert str(document["n"][1]) == "-2.50"


def test_fractions_are_floats_where_the_caller_says_so():
    number = read_json(b"0.1", fractions=float)

    assert (type(number), number) == (float, 0.1)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_read(kind):
    assert read_json(kind(b'{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'"\xff"', Fault.NOT_UTF8),
        (b'"\xed\xa0\x80"', Fault.NOT_UTF8),
        (b"", Fault.NOT_JSON),
        (b'{"a": 1,}', Fault.NOT_JSON),
        (b"\xef\xbb\xbf{}", Fault.NOT_JSON),
        (b'{"a": 1, "a": 1}', Fault.DUPLICATE_KEY),
        (rb'{"a": 1, "\u0061": 2}', Fault.DUPLICATE_KEY),
        (b'[{"a": {"b": 1, "b": 1}}]', Fault.DUPLICATE_KEY),
        (b"NaN", Fault.NOT_A_NUMBER),
        (b"[-Infinity]", Fault.NOT_A_NUMBER),
        (b"9" * (MAX_DIGITS + 1), Fault.LONG_INTEGER),
        (b"-" + b"9" * (MAX_DIGITS + 1), Fault.LONG_INTEGER),
        (b"0." + b"1" * (MAX_DIGITS - 1), Fault.LONG_FRACTION),
        (b"1e400", Fault.OUT_OF_RANGE),
        (b"-1e400", Fault.OUT_OF_RANGE),
        (b"[" * 60_000, Fault.TOO_DEEP),
        (b'{"a":' * 12_000, Fault.TOO_DEEP),
        (rb'"a\u0000b"', Fault.NUL),
        (rb'{"a\u0000": 1}', Fault.NUL),
        ('["Wanjikũ\\u0000"]'.encode(), Fault.NUL),
        (rb'["\ud800"]', Fault.HALF_A_CHARACTER),
        (rb'{"\udfff": 1}', Fault.HALF_A_CHARACTER),
        (rb'"\ude42\ud83d"', Fault.HALF_A_CHARACTER),
    ],
)
def test_a_body_is_refused_by_the_rule_it_breaks(body, rule):
    assert fault(body) is rule
    assert fault(body, fractions=float) is rule


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_twenty_levels_are_read_and_no_more(opening, closing):
    def nested(depth):
        return opening * depth + b"1" + closing * depth

    assert read_json(nested(MAX_DEPTH))
    assert fault(nested(MAX_DEPTH + 1)) is Fault.TOO_DEEP


@pytest.mark.parametrize("body", [b"9" * MAX_DIGITS, b"-" + b"9" * MAX_DIGITS])
def test_thirty_digits_are_a_number(body):
    assert read_json(body) == int(body)


def test_an_exponent_no_decimal_can_hold_is_out_of_range():
    assert fault(b"1e-99999999999999999999") is Fault.OUT_OF_RANGE
    assert read_json(b"1e-99999999999999999999", fractions=float) == 0.0


def test_a_body_is_read_up_to_the_limit_its_reader_gives():
    body = b'"' + b"x" * 2046 + b'"'

    assert read_json(body, at_most=2048) == "x" * 2046
    with pytest.raises(NotStrictJson, match=r"^The body is longer than 2 kB\.$"):
        read_json(body + b" ", at_most=2048)


def test_a_refusal_says_what_it_is_about():
    with pytest.raises(NotStrictJson) as refused:
        read_json(b"[-Infinity]")

    assert (str(refused.value), refused.value.detail) == ("-Infinity is not a number.", "-Infinity")
