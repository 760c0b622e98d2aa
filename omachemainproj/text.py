"""One normal form for text that is compared, and one for text that is shown.

Text copied from a chat, a PDF or a phone's contacts contains invisible characters (zero-width
spaces, direction marks, soft hyphens, a byte order mark), letters in several encodings ("é" as one
character or two), ligatures ("ﬁ") and wide letters ("Ａ"). To the person who typed it, all of them
are the same text.

Sources: Unicode UAX #15 (normal forms), UAX #31 (NFKC_Casefold), UAX #44 (ignorable characters);
RFC 8264 and 8265 (PRECIS: width, spaces, passwords), RFC 5892 appendix A (where a joiner belongs).
Letters that only look alike (UTS #39: a Cyrillic "а") stay different. Does not import Django.
"""

import unicodedata
from functools import lru_cache
from typing import Literal

#: Unicode's Default_Ignorable_Code_Point (UAX #44, 16.0): the first and last of each range.
_IGNORABLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
#: Not in that list, but just as invisible: annotation marks.
_ANNOTATION = (0xFFF9, 0xFFFB)
_IGNORED: dict[int, None] = {
    code: None
    for first, last in (*_IGNORABLE_RANGES, _ANNOTATION)
    for code in range(first, last + 1)
}

#: Dashes and hyphens that keyboards and word processors substitute for "-".
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_MARKS_OF_DIRECTION = frozenset("\u200e\u200f\u061c")
_BLACK_FLAG, _KEYCAP = "\U0001f3f4", "\u20e3"
_TAGS = range(0xE0020, 0xE0080)
_VIRAMA = 9
#: How many combining marks in a row are kept: sorting more takes quadratic time, and no language
#: writes so many.
#: Source: UAX #15, section 13 (Stream-Safe Text Format)
_MARKS_IN_A_ROW = 30


def _shown_forms() -> dict[int, str]:
    """Wide, narrow and joined forms of letters, mapped to the plain letters they are shown as."""
    forms = {0x3000: " "}
    # Latin, Armenian and Hebrew ligatures, and the shapes of Arabic letters, but not Arabic word
    # ligatures (from U+FDF0), which people type.
    for first, last in ((0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFB1D, 0xFDEF), (0xFE70, 0xFEFC)):
        forms |= {code: unicodedata.normalize("NFKC", chr(code)) for code in range(first, last + 1)}
    for code in range(0xFF01, 0xFFEF):
        kind, _, plain = unicodedata.decomposition(chr(code)).partition(" ")
        if kind in {"<wide>", "<narrow>"}:
            forms[code] = chr(int(plain, 16))
    return forms


_SHOWN_FORMS = _shown_forms()


def without_invisible(text: str) -> str:
    """The text without invisible characters."""
    return text if text.isascii() else text.translate(_IGNORED)


def normalise(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form, with at most 30 combining marks in a row. In linear time."""
    return _without_long_runs(unicodedata.normalize(form, _without_long_runs(text)))


def _without_long_runs(text: str) -> str:
    if len(text) <= _MARKS_IN_A_ROW or text.isascii():
        return text
    signs: list[str] = []
    marks = 0
    for sign in text:
        marks = marks + 1 if _begins_with_mark(sign) else 0
        if marks <= _MARKS_IN_A_ROW:
            signs.append(sign)
    return "".join(signs)


@lru_cache(maxsize=4096)
def _begins_with_mark(sign: str) -> bool:
    """Whether a character is a combining mark, or decomposes to some."""
    return unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) != 0


def fold_identifier(text: str) -> str:
    """A name, a code or a number in the form used for comparison; its case is kept.

    NFKC without invisible characters or surrounding space; digits of any script become ASCII
    digits, every dash "-", every space " ". Idempotent.
    """
    if text.isascii():
        return text.strip()
    # Twice: characters that an invisible one separated may now compose.
    folded = normalise("NFKC", normalise("NFKC", text).translate(_IGNORED))
    return "".join(map(_plain, folded.translate(_IGNORED))).strip()


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if unicodedata.category(sign) == "Zs":
        return " "
    return _DASHES.get(ord(sign), sign)


def lower(text: str) -> str:
    """The text in lower case as in databases: "İ" becomes one character, not two as in Python."""
    return text.lower().replace("i\u0307", "i")


def fold_for_matching(text: str) -> str:
    """The text for case-insensitive matching: ``fold_identifier`` and case folding."""
    return fold_identifier(fold_identifier(text).casefold())


def fold_password(typed: str) -> str:
    """A password as it is hashed: NFKC, without invisible characters, every space " ".

    As RFC 8265's OpaqueString, but NFKC as in NIST SP 800-63B: a phone's and a laptop's keyboard
    may encode the same character differently. Case and surrounding spaces are kept.
    """
    if typed.isascii():
        return typed
    folded = normalise("NFKC", normalise("NFKC", typed).translate(_IGNORED))
    return "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in folded)


def clean_shown(text: str) -> str:
    """The text as it is stored and shown: NFC, wide and joined letters as plain ones.

    Invisible characters are removed, except meaningful ones: joiners between letters that need them
    (Persian, Indic) and in emoji, variation selectors after a symbol, direction marks inside text
    with right-to-left letters. Direction overrides and isolates, which turn the text after them,
    and surrounding space are always removed. Idempotent.
    """
    if text.isascii():
        return text.strip()
    plain = normalise("NFC", text.translate(_SHOWN_FORMS))
    if not any(ord(sign) in _IGNORED for sign in plain):
        return plain.strip()
    meaningful = "".join(_meaningful_characters(plain))
    return normalise("NFC", meaningful).strip().strip("".join(_MARKS_OF_DIRECTION)).strip()


def tidy_line(text: str) -> str:
    """A name as it is stored and shown: ``clean_shown`` on one line, with single spaces."""
    return clean_shown(" ".join(clean_shown(text).split()))


def has_controls(line: str) -> bool:
    """Whether a cleaned line has characters that do not belong in a name, such as controls."""
    return not without_invisible(line).isprintable()


def is_turned(text: str) -> bool:
    """Whether the text contains direction overrides, so that it reads differently than it is."""
    return "\u202d" in text or "\u202e" in text


def _meaningful_characters(text: str) -> list[str]:
    right_to_left = any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text)
    signs: list[str] = []
    for sign, after in zip(text, _next_visible_signs(text), strict=True):
        if ord(sign) not in _IGNORED:
            signs.append(sign)
            continue
        before = signs[-1] if signs else ""
        if _is_meaningful(sign, before, after, right_to_left):
            signs.append(sign)
    return signs


def _next_visible_signs(text: str) -> list[str]:
    """For each character of a text, the next visible one after it, or "".

    One pass from the end: searching forward from each character takes quadratic time on a long run
    of invisible ones.
    """
    following: list[str] = []
    after = ""
    for sign in reversed(text):
        following.append(after)
        if ord(sign) not in _IGNORED:
            after = sign
    following.reverse()
    return following


def _is_meaningful(sign: str, before: str, after: str, right_to_left: bool) -> bool:
    """Whether an invisible character is meaningful between these two."""
    if sign in {_ZWNJ, _ZWJ}:
        if before in {_ZWNJ, _ZWJ}:
            return False
        follows_virama = before != "" and unicodedata.combining(before) == _VIRAMA
        return follows_virama or (_may_join(before) and _may_join(after))
    if sign in _MARKS_OF_DIRECTION:
        return right_to_left
    if ord(sign) in _TAGS:
        return before == _BLACK_FLAG or (before != "" and ord(before) in _TAGS)
    if 0xFE00 <= ord(sign) <= 0xFE0F or 0xE0100 <= ord(sign) <= 0xE01EF or _is_mongolian(sign):
        return _has_variants(before, after)
    return False


def _is_mongolian(sign: str) -> bool:
    return "\u180b" <= sign <= "\u180f" and sign != "\u180e"


def _may_join(sign: str) -> bool:
    """Whether a character may be joined to its neighbour: no space, no European letter."""
    if not sign or unicodedata.category(sign)[0] in "ZCP":
        return False
    return not sign.isascii() and not unicodedata.name(sign, "").startswith(
        ("LATIN", "GREEK", "CYRILLIC")
    )


def _has_variants(before: str, after: str) -> bool:
    if not before:
        return False
    if before.isascii():
        return after == _KEYCAP
    return unicodedata.category(before) in {"So", "Sm", "Sk", "Po", "Pd", "Lo", "No", "Nl", "Mn"}
