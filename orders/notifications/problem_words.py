"""Kinds of problems and decisions about them, worded in English and Swahili.

Text written by users is never put into the shop's own messages: it could say anything in its name.
"""

from __future__ import annotations

from orders.models import Outcome, Party, ProblemKind, ProblemState

_KINDS = {
    ProblemKind.NOT_RECEIVED: {"en": "not received", "sw": "hazijafika"},
    ProblemKind.DAMAGED: {"en": "damaged", "sw": "zimeharibika"},
    ProblemKind.WRONG_GOODS: {"en": "wrong goods", "sw": "si bidhaa alizoagiza"},
    ProblemKind.NOT_AS_DESCRIBED: {
        "en": "not as described",
        "sw": "hazifanani na maelezo",
    },
}
#: By decision and reader; ``{amount}`` is the refund.
_DECISIONS = {
    (Outcome.REFUNDED, Party.BUYER): {
        "en": "We are refunding you {amount}.",
        "sw": "Tunakurudishia {amount}.",
    },
    (Outcome.REFUNDED, Party.SELLER): {
        "en": "The buyer is refunded {amount}, and you are not paid for this item.",
        "sw": "Mnunuzi anarudishiwa {amount}, na hutalipwa kwa bidhaa hii.",
    },
    (Outcome.REDUCED, Party.BUYER): {
        "en": "The price is reduced, and we are refunding you {amount}.",
        "sw": "Bei imepunguzwa, na tunakurudishia {amount}.",
    },
    (Outcome.REDUCED, Party.SELLER): {
        "en": "The price is reduced, and the buyer is refunded {amount}. You are paid the rest.",
        "sw": "Bei imepunguzwa, na mnunuzi anarudishiwa {amount}. Utalipwa kiasi kinachobaki.",
    },
    (ProblemState.RETURNING, Party.BUYER): {
        "en": "Please return the goods. Once they arrive, we refund you {amount}.",
        "sw": "Tafadhali rudisha bidhaa. Zikifika, tutakurudishia {amount}.",
    },
    (ProblemState.RETURNING, Party.SELLER): {
        "en": "The goods will be returned to you. Once they arrive, the buyer is refunded "
        "{amount}.",
        "sw": "Bidhaa zinarudishwa kwako. Zikifika, mnunuzi atarudishiwa {amount}.",
    },
    (Outcome.RETURNED, Party.BUYER): {
        "en": "The goods are back, and we are refunding you {amount}.",
        "sw": "Bidhaa zimerudi, na tunakurudishia {amount}.",
    },
    (Outcome.RETURNED, Party.SELLER): {
        "en": "The goods are back, and the buyer is refunded {amount}.",
        "sw": "Bidhaa zimerudi, na mnunuzi anarudishiwa {amount}.",
    },
    (Outcome.DISMISSED, Party.BUYER): {
        "en": "It was closed without a refund. You can read why in your orders.",
        "sw": "Limefungwa bila kurudishiwa pesa. Soma sababu kwenye oda zako.",
    },
    (Outcome.DISMISSED, Party.SELLER): {
        "en": "It was closed without a refund. You are paid as usual.",
        "sw": "Limefungwa bila kurudisha pesa. Utalipwa kama kawaida.",
    },
    (Outcome.WITHDRAWN, Party.SELLER): {
        "en": "The buyer withdrew it. You are paid as usual.",
        "sw": "Mnunuzi ameliondoa. Utalipwa kama kawaida.",
    },
}


def problem_words(language: str, about: str | None, *, to: str | None, amount: str) -> str:
    """Return the kind of problem in a few words, or the decision as a sentence for its reader.

    Empty for other notifications. ``amount`` is formatted, like “KES 1,500”.
    """
    if not about:
        return ""
    if about in ProblemKind.values:
        return _KINDS[ProblemKind(about)][language]
    return SENTENCES[about, to or ""][language].format(amount=amount)


SENTENCES = {(str(what), str(to)): words for (what, to), words in _DECISIONS.items()}
