"""Passwords that everybody here would try first, and passwords that are good."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User

_TEXT = """
omache2026 safaricom1 mpesa1234 karibu2026 M-Pesa2026! 0m@che2026 S4f4r1c0m@254 qwerty12345
1qaz2wsx3edc nairobi254 ehcamo2026 kenya2025!! asdfghjkl1 abcabcabc aaaaaaaab1 0722123456a
254722123456x P@ssw0rd2026 nakupenda123 Mungu1234 harambee63 k7#fk7#f amina-mwangi1 Njer1.Amina99
lipanampesa12 omache_finance12 4m1n42026!
"""
GUESSABLE = _TEXT.split()
GOOD = [
    "a long enough secret",
    "correct horse",
    "mũhũ wa fisi",
    "tumbili-nairobi-9x",
    "kuku anapika chai",
    "secret words for amina",
    "Zk7!mmQp2x",
    "bishop house",
]


def errors_of(password, **person):
    user = User(username="amina", first_name="Njeri", email="mwangi.a@example.com", **person)
    try:
        validate_password(password, user)
    except ValidationError as error:
        return error.messages
    return []


def test_a_guessable_password_is_refused_for_one_reason():
    assert {word: len(errors_of(word)) for word in GUESSABLE} == dict.fromkeys(GUESSABLE, 1)


def test_good_passwords_are_taken():
    assert {word: errors_of(word) for word in GOOD} == {word: [] for word in GOOD}


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_staff_need_twelve_characters(power):
    assert errors_of("Zk7!mmQp2x", **{power: True}) == [
        "This password is too short. It must contain at least 12 characters."
    ]
    assert errors_of("Zk7!mmQp2x-v", **{power: True}) == []
