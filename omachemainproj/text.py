"""One normal form for text that is compared, and one for text that is shown.

What is copied from a chat, a PDF or a phone's contacts carries signs nobody sees (zero-width
spaces, marks of direction, soft hyphens, a byte order mark), letters in several encodings ("é" as
one sign or two), joined ones ("ﬁ") and wide ones ("Ａ"). All of them are the same text to whoever
typed it.

Sources: Unicode UAX #15 (normal forms), UAX #31 (NFKC_Casefold), UAX #44 (signs to be ignored);
RFC 8264 and 8265 (PRECIS: width, spaces, passwords), RFC 5892 appendix A (where a joiner belongs).
Letters that only look alike (UTS #39: a Cyrillic "а") stay different. Knows nothing of Django.
"""

import unicodedata

#: Unicode's Default_Ignorable_Code_Point (UAX #44, 16.0), first and last of each range.
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
#: Not in that list, but as invisible: the marks of an annotation.
_ANNOTATION = (0xFFF9, 0xFFFB)
_IGNORED: dict[int, None] = {
    code: None
    for first, last in (*_IGNORABLE_RANGES, _ANNOTATION)
    for code in range(first, last + 1)
}

#: Every dash and hyphen that a keyboard's or a word processor's correction puts for "-".
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2043, 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_MARKS_OF_DIRECTION = frozenset("\u200e\u200f\u061c")
_BLACK_FLAG, _KEYCAP = "\U0001f3f4", "\u20e3"
_TAGS = range(0xE0020, 0xE0080)
_VIRAMA = 9


def _shown_forms() -> dict[int, str]:
    """The wide, narrow and joined forms of letters, and the plain ones they are shown as."""
    forms = {0x3000: " "}
    # Latin, Armenian and Hebrew ligatures, and the shapes of Arabic letters: but not its words
    # (U+FDF0 and on), which people type.
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


def fold_identifier(text: str) -> str:
    """A name, a code or a number as it is compared, in the case it was typed in.

    NFKC without invisible signs and without space around it; every script's digits are ASCII's,
    every dash is "-", every space " ". Doing it again changes nothing.
    """
    if text.isascii():
        return text.strip()
    # Again at the end: what stood apart on the two sides of an invisible sign may be composed.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).translate(_IGNORED))
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
    """A text in lower case as databases do it: a Turkish "İ" becomes one character, not two as in
    Python."""
    return text.lower().replace("i\u0307", "i")


def fold_for_matching(text: str) -> str:
    """A text for case-insensitive matching: ``fold_identifier`` and case folding."""
    return fold_identifier(fold_identifier(text).casefold())


def fold_password(typed: str) -> str:
    """A password as it is hashed: NFKC, without invisible signs, every space " ".

    As RFC 8265's OpaqueString, but NFKC as NIST SP 800-63B has it: a phone's keyboard and a
    laptop's type the same sign in other forms. Case, length and spaces around it are kept.
    """
    if typed.isascii():
        return typed
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).translate(_IGNORED))
    return "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in folded)


def clean_shown(text: str) -> str:
    """A text as it is stored and shown: NFC, wide and joined letters as plain ones.

    Invisible signs go, but for those with a meaning: joiners between letters that need them
    (Persian, Indic) and in emoji, variation selectors behind a symbol, marks of direction inside a
    text with letters from right to left. Overrides and isolates go always: they turn what
    follows them. Space around it goes too. Doing it again changes nothing.
    """
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFC", text.translate(_SHOWN_FORMS))
    if not any(ord(sign) in _IGNORED for sign in plain):
        return plain.strip()
    kept = "".join(_meant_signs(plain))
    return unicodedata.normalize("NFC", kept).strip().strip("".join(_MARKS_OF_DIRECTION)).strip()


def tidy_line(text: str) -> str:
    """A name as it is stored and shown: ``clean_shown`` in one line, with single spaces."""
    return clean_shown(" ".join(clean_shown(text).split()))


def has_controls(line: str) -> bool:
    """Whether a cleaned line has characters that no name has, such as control characters."""
    return not without_invisible(line).isprintable()


def is_turned(text: str) -> bool:
    """Whether the text contains direction overrides, so that it reads differently than it is."""
    return "\u202d" in text or "\u202e" in text


def _meant_signs(text: str) -> list[str]:
    right_to_left = any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text)
    kept: list[str] = []
    for sign, after in zip(text, _next_visible_signs(text), strict=True):
        if ord(sign) not in _IGNORED:
            kept.append(sign)
            continue
        before = kept[-1] if kept else ""
        if _is_meant(sign, before, after, right_to_left):
            kept.append(sign)
    return kept


def _next_visible_signs(text: str) -> list[str]:
    """For each sign of a text the next visible one after it, "" where there is none.

    Found in one walk from the end: looked for from each sign anew, a long row of invisible ones
    takes the square of its length.
    """
    following: list[str] = []
    after = ""
    for sign in reversed(text):
        following.append(after)
        if ord(sign) not in _IGNORED:
            after = sign
    following.reverse()
    return following


def _is_meant(sign: str, before: str, after: str, right_to_left: bool) -> bool:
    """Whether an invisible sign has a meaning between these two."""
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
    """Whether a sign can be joined to its neighbour: no space, and no letter of Europe's."""
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
