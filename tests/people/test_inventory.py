"""Every column that names a person says what they get of it, and what becomes of it."""

import pytest
from django.apps import apps
from django.db.models import (
    BinaryField,
    CharField,
    FileField,
    GenericIPAddressField,
    JSONField,
    TextField,
)

from accounts.models import User
from payments.people.inventory import IMPERSONAL, PERSONAL_DATA, WHOLE

#: What can hold words about somebody; one of a few known values cannot.
WORDS = (BinaryField, CharField, FileField, GenericIPAddressField, JSONField, TextField)


def tells_of_somebody(field):
    if field.is_relation:
        return field.related_model is User
    return isinstance(field, WORDS) and not field.choices and not field.primary_key


def retained(one):
    return {name for columns in one.retained.values() for name in columns.split()}


def personal(model):
    return {field.name for field in model._meta.concrete_fields if tells_of_somebody(field)}


#: The tests' own are none of the shop's.
MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if not model.__module__.startswith("tests")
]
COVERED = [model for model in MODELS if any(one.table is model for one in PERSONAL_DATA)]
OTHERS = [model for model in MODELS if model not in COVERED and personal(model)]


@pytest.mark.parametrize("model", COVERED, ids=lambda model: model._meta.label)
def test_every_column_is_shown_or_hidden_and_erased_or_retained(model):
    here = [one for one in PERSONAL_DATA if one.table is model]
    exported = {name for one in here for name in [*one.columns, *one.hidden.split()]}
    fates = {name for one in here for name in [*one.erased.split(), *retained(one)]}

    assert personal(model) - exported == set()
    if not any(one.erased == WHOLE for one in here):
        assert personal(model) - fates == set()


def test_a_table_that_names_people_says_what_it_keeps():
    missing = {model._meta.label for model in OTHERS} - IMPERSONAL.keys()

    assert missing == set(), f"Say in payments/people/inventory/ what becomes of: {missing}"


def test_the_inventory_names_existing_columns():
    for one in PERSONAL_DATA:
        names = {field.name for field in one.table._meta.concrete_fields}
        names |= {field.attname for field in one.table._meta.concrete_fields}
        erased = {*one.erased.split()} - {WHOLE}
        mentioned = {*one.columns, *one.hidden.split(), *retained(one), *erased}
        assert {name for name in mentioned if "__" not in name} <= names, one.section
        assert not {*one.columns} & {*one.hidden.split()}, one.section
        assert not erased & retained(one), one.section


def test_no_table_is_said_to_be_nobodys_that_names_somebody():
    for label in IMPERSONAL:
        model = apps.get_model(label)
        assert not any(
            field.is_relation and field.related_model is User
            for field in model._meta.concrete_fields
        ), label


def test_sections_have_names_of_their_own():
    assert len({one.section for one in PERSONAL_DATA}) == len(PERSONAL_DATA)


def test_a_secret_is_never_shown():
    forbidden = {"password", "callback_token", "status_token", "data", "jti", "fingerprint"}

    assert not forbidden & {name for one in PERSONAL_DATA for name in one.columns}
