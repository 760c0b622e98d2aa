"""Password validation: refuses short, leaked and easily guessed passwords.

Follows NIST SP 800-63B and OWASP ASVS 5 (6.2): a minimum length, lists of common passwords, words
of the context, and no rules about mixing kinds of characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from .validators import normalise_email

LEAST, LEAST_OF_STAFF = 8, 12
#: Characters that a password must have in addition to its guessable parts.
OWN = 6
#: Distinct characters that a password must have.
VARIETY = 5

#: Words about the shop; Kenyan money, phones, places, names, greetings and clubs; common beginnings
#: of passwords anywhere. All have at least four letters.
_TEXT = """
omache omachee soko sokoni duka dukani biashara market marketplace shop shopping store seller
buyer mpesa mpesha pesa pesapal safaricom saricom safcom airtel telkom equitel faiba jamii fuliza
mshwari
hustler paybill lipanampesa lipa tillnumber buygoods daraja equity equitybank coopbank kcbbank absa
stanbic ncba family imbank shilling shillings simu bonga
kenya kenyan wakenya nairobi mombasa kisumu nakuru eldoret thika machakos kitale malindi garissa
kakamega nyeri meru embu kericho kisii bungoma busia naivasha nanyuki kiambu kilifi lamu turkana
narok kajiado rongai kasarani westlands karen kibera mathare embakasi langata umoja kayole africa
afrika uganda tanzania
karibu karibuni jambo habari mambo sasa asante sana hakuna matata harambee uhuru umoja amani
upendo nakupenda mapenzi mpenzi mungu yesu jesus christ allah baraka neema imani furaha rafiki mama
baba mtoto watoto nyumbani nyumba shule siri nywila nenosiri simba chui ndovu twiga safari tusker
mwananchi raila ruto kibaki kenyatta
kamau wanjiku mwangi njoroge otieno ochieng achieng akinyi atieno odhiambo onyango omondi wafula
wekesa mutua muthoni wambui wanjiru njeri nyambura kipchoge kiprono cheruiyot chebet kibet kiptoo
mohamed ahmed hassan fatuma amina juma brian kevin dennis mercy faith grace joyce
arsenal chelsea manchester liverpool barcelona madrid gormahia leopards united football
password passwort passcode pass word secret admin administrator root user username login welcome
letmein master hello monkey dragon sunshine princess superman batman iloveyou love lovely baby angel
test testing demo guest changeme default staff support finance delivery catalogue manager money
cash bank account access secure security
january february march april june july august september october november december januari februari
machi aprili juni julai agosti septemba oktoba novemba desemba jumatatu jumanne jumatano
alhamisi ijumaa jumamosi jumapili monday tuesday wednesday thursday friday saturday sunday summer
winter
"""
_WORDS = frozenset(_TEXT.split())

#: Sequences of keys, in rows and columns; matched in both directions.
_ROWS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "147258369",
)
_WALKS = frozenset(
    walk[start : start + 4]
    for row in _ROWS
    for walk in (row, row[::-1])
    for start in range(len(walk) - 3)
)
#: Years, repeated characters, and Kenyan phone numbers.
_PATTERNS = re.compile(r"(?:19|20)\d\d|(.)\1\1+|(?:\+?254|0)[17]\d{8}")
#: Letters that symbols and digits replace; 1 may be i or l.
_LEET = str.maketrans("0345789@$!|", "oeastbgasil")
_IGNORED = re.compile(r"[^a-z0-9@$!|]")


_SIMILARITY = UserAttributeSimilarityValidator()


class LengthValidator:
    """Refuses passwords of fewer than 8 characters, or 12 for staff."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if the password is too short."""
        least = LEAST_OF_STAFF if _is_staff(user) else LEAST
        if len(password) < least:
            raise ValidationError(
                ngettext(
                    "This password is too short. It must contain at least %(least)d character.",
                    "This password is too short. It must contain at least %(least)d characters.",
                    least,
                ),
                code="password_too_short",
                params={"least": least},
            )

    def get_help_text(self) -> str:
        return f"At least {LEAST} characters; {LEAST_OF_STAFF} for staff."


class GuessableValidator(CommonPasswordValidator):
    """Refuses passwords that resemble the user's names, were leaked, or consist of known parts.

    Gives only the first of these reasons. Known parts are the words above, forwards or backwards,
    with digits or symbols for letters, the user's own names, years, phone numbers, repetitions and
    keyboard sequences. At least 6 other characters must remain; each word counts as one of them.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if the password is easily guessed."""
        _SIMILARITY.validate(password, user)
        super().validate(password, user)
        if is_guessable(password, _names_of(user)):
            raise ValidationError(
                "This password is too easy to guess. Take several words that do not belong "
                "together.",
                code="password_too_guessable",
            )

    def get_help_text(self) -> str:
        return "Nothing that others try first: known words, names, years, rows of keys."


def is_guessable(password: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a password has too few characters that are not part of something guessable."""
    plain = _IGNORED.sub("", password.lower())
    if len(set(password.lower())) < VARIETY or _is_repeated(password.lower()):
        return True
    known = [False] * len(plain)
    _mark_patterns(plain, known)
    words = sorted(_WORDS | set(names), key=len, reverse=True)
    fewest, any_known = len(plain), any(known)
    for spelling in _spellings(plain):
        marked, found = known.copy(), 0
        for word in words:
            # Each known word counts as a character: many words make a good password too.
            if _mark(spelling, word, marked) + _mark(spelling, word[::-1], marked):
                found += word not in names
        any_known = any_known or any(marked)
        own = [c for c, is_known in zip(plain, marked, strict=True) if not is_known and c.isalnum()]
        fewest = min(fewest, len(own) + found)
    # Letters of other alphabets are not guessed first, and are in none of these lists.
    fewest += sum(1 for c in password if c.isalpha() and not c.isascii())
    return any_known and fewest < OWN


def _spellings(plain: str) -> Iterator[str]:
    yield plain
    yield plain.translate(_LEET).replace("1", "i")
    yield plain.translate(_LEET).replace("1", "l")


def _mark(text: str, word: str, known: list[bool]) -> bool:
    """Mark the occurrences of a word; return whether any of it was not marked before."""
    is_new, at = False, text.find(word)
    while at >= 0:
        is_new = is_new or not all(known[at : at + len(word)])
        known[at : at + len(word)] = [True] * len(word)
        at = text.find(word, at + 1)
    return is_new


def _mark_patterns(plain: str, known: list[bool]) -> None:
    for found in _PATTERNS.finditer(plain):
        known[found.start() : found.end()] = [True] * len(found[0])
    for at in range(len(plain) - 3):
        if plain[at : at + 4] in _WALKS:
            known[at : at + 4] = [True] * 4


def _is_repeated(text: str) -> bool:
    """Whether the text repeats a sequence of fewer than 8 characters."""
    period = (text + text).find(text, 1)
    return period < len(text) and period < LEAST


def _names_of(user: Any) -> tuple[str, ...]:
    """The parts of a user's names and e-mail address that have at least 4 letters."""
    if user is None:
        return ()
    email = normalise_email(getattr(user, "email", "") or "").rpartition("@")[0]
    texts = [email, *(getattr(user, name, "") or "" for name in _NAMES)]
    parts = [part for text in texts for part in (text, *re.split(r"[^a-zA-Z]+", text))]
    folded = {_IGNORED.sub("", part.lower()) for part in parts}
    return tuple(name for name in folded if len(name) >= 4)


_NAMES = ("username", "first_name", "last_name")


def _is_staff(user: Any) -> bool:
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))
