"""Fields that read strictly."""

import pytest
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from omachemainproj.api.errors import FieldRefusal
from omachemainproj.api.fields import (
    MpesaNumberField,
    ShortListField,
    ShownTextField,
    StrictBooleanField,
    WholeNumberField,
    read_input,
)


class Form(serializers.Serializer):
    number = WholeNumberField(min_value=1, max_value=100, required=False)
    phone = MpesaNumberField(required=False)


def read(**data):
    form = Form(data=data)
    return form.validated_data if form.is_valid() else form.errors


@pytest.mark.parametrize("number", [1, 100])
def test_a_whole_number_is_taken(number):
    assert read(number=number) == {"number": number}


@pytest.mark.parametrize("text", ["5", " 5 ", "005"])
def test_digits_in_a_text_are_a_number(text):
    assert read(number=text) == {"number": 5}


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        5.0,
        5.5,
        [],
        {},
        [5],
        "",
        "5.0",
        "+5",
        "５",
        "0x5",
        "1e1",
        "5_0",
        "five",
        "9" * 19,
    ],
)
def test_values_that_only_look_like_a_whole_number_are_refused(value):
    assert read(number=value) == {"number": ["A whole number is needed, like 1500."]}


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (0, "Ensure this value is greater than or equal to 1."),
        (101, "Ensure this value is less than or equal to 100."),
        (10**29, "Ensure this value is less than or equal to 100."),
    ],
)
def test_a_whole_numbers_bounds_are_enforced(number, message):
    assert read(number=number) == {"number": [message]}


@pytest.mark.parametrize("typed", ["number=5", "number=%205%20"])
def test_digits_in_a_form_are_a_number(typed):
    form = Form(data=QueryDict(typed))

    assert form.is_valid()
    assert form.validated_data == {"number": 5}


@pytest.mark.parametrize("typed", ["5.0", "+5", "-5", "５", "0x5", "1e1", "5_0", "9" * 19])
def test_other_texts_in_a_form_are_not(typed):
    data = QueryDict(mutable=True)
    data["number"] = typed

    assert not Form(data=data).is_valid()


@pytest.mark.parametrize("typed", ["0712345678", 712345678, 254712345678])
def test_a_phone_is_kept_in_one_form(typed):
    assert read(phone=typed) == {"phone": "254712345678"}


@pytest.mark.parametrize("typed", ["", "12", True, 7.5, [], {}, ["0712345678"], "x" * 60_000])
def test_an_invalid_phone_is_refused(typed):
    assert read(phone=typed) == {"phone": ["Enter a Kenyan mobile number, like 0712345678."]}


def test_no_phone_is_null():
    assert read(phone=None) == {"phone": ["This field may not be null."]}


class Choice(Form):
    sure = StrictBooleanField(required=False)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"number": "5", "phone": "0712345678", "sure": True},
        {"number": 0, "phone": "12"},
        {"sure": "true"},
        QueryDict("number=5&sure=true"),
        QueryDict("number=0"),
        [],
        None,
    ],
)
def test_input_is_read_as_by_a_serializer_of_its_own(data):
    def outcome(read):
        try:
            return read()
        except serializers.ValidationError as refused:
            return refused.detail

    def read_alone():
        own = Choice(data=data)
        own.is_valid(raise_exception=True)
        return own.validated_data

    assert outcome(lambda: read_input(Choice, data)) == outcome(read_alone)


def test_one_serializer_validates_successive_inputs():
    read = [read_input(Form, {"number": number}) for number in (1, 2)]

    assert read == [{"number": 1}, {"number": 2}]


class Unbounded(serializers.Serializer):
    number = WholeNumberField()


@pytest.mark.parametrize("number", [2**53 - 1, 1 - 2**53])
def test_a_number_without_bounds_is_one_that_every_reader_of_json_keeps(number):
    assert read_input(Unbounded, {"number": number}) == {"number": number}


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64, 10**30])
def test_a_larger_number_is_refused(number):
    form = Unbounded(data={"number": number})

    assert not form.is_valid()
    assert form.errors == {"number": ["This number is too large."]}


class Text(serializers.Serializer):
    text = ShownTextField(max_length=10)


def test_invisible_signs_do_not_count_for_the_length_of_a_text():
    assert read_input(Text, {"text": "kettle" + "\u200b" * 74}) == {"text": "kettle"}


def test_a_text_of_many_times_its_length_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr("omachemainproj.api.fields.clean_shown", pytest.fail)
    form = Text(data={"text": "kettle" + "\u200b" * 75})

    assert not form.is_valid()
    assert form.errors == {"text": ["Ensure this field has no more than 10 characters."]}


class Unread(serializers.Field):
    def to_internal_value(self, data):
        pytest.fail("it was read")


class Ids(serializers.Serializer):
    ids = ShortListField(child=Unread(), max_length=2)


def test_a_list_is_counted_before_its_items_are_read():
    form = Ids(data={"ids": [1, 2, 3]})

    assert not form.is_valid()
    assert form.errors == {"ids": ["Ensure this field has no more than 2 elements."]}


def test_a_refusal_of_fields_is_its_sentences_as_text():
    refusal = FieldRefusal(
        {"order": [{}, {"number": ["Only 3 left."]}], "fee": [ErrorDetail("Too much.", "max")]}
    )

    assert str(refusal) == "Only 3 left. Too much."
