"""What is wrong with goods, and what was decided about it, in words of both languages.

What people wrote themselves is in no message of the shop's: it could say anything in its name.
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
#: By what was decided and whom it is told, in KES that go back.
_DECISIONS = {
    (Outcome.REFUNDED, Party.BUYER): {
        "en": "{amount} goes back to you.",
        "sw": "Tunakurudishia {amount}.",
    },
    (Outcome.REFUNDED, Party.SELLER): {
        "en": "{amount} goes back to the buyer, and you are not paid for it.",
        "sw": "Mnunuzi anarudishiwa {amount}, na hutalipwa kwa bidhaa hii.",
    },
    (Outcome.REDUCED, Party.BUYER): {
        "en": "the price is reduced, and {amount} goes back to you.",
        "sw": "Bei imepunguzwa, na tunakurudishia {amount}.",
    },
    (Outcome.REDUCED, Party.SELLER): {
        "en": "the price is reduced, and {amount} goes back to the buyer. You are paid for the "
        "rest.",
        "sw": "Bei imepunguzwa, na mnunuzi anarudishiwa {amount}. Utalipwa kiasi kinachobaki.",
    },
    (ProblemState.RETURNING, Party.BUYER): {
        "en": "please give the goods back. Once they are there, {amount} goes back to you.",
        "sw": "Tafadhali rudisha bidhaa. Zikifika, tutakurudishia {amount}.",
    },
    (ProblemState.RETURNING, Party.SELLER): {
        "en": "the goods come back to you. Once they are there, {amount} goes back to the buyer.",
        "sw": "Bidhaa zinarudishwa kwako. Zikifika, mnunuzi atarudishiwa {amount}.",
    },
    (Outcome.RETURNED, Party.BUYER): {
        "en": "the goods are back, and {amount} goes back to you.",
        "sw": "Bidhaa zimerudi, na tunakurudishia {amount}.",
    },
    (Outcome.RETURNED, Party.SELLER): {
        "en": "the goods are back, and {amount} goes back to the buyer.",
        "sw": "Bidhaa zimerudi, na mnunuzi anarudishiwa {amount}.",
    },
    (Outcome.DISMISSED, Party.BUYER): {
        "en": "it is closed without a refund. Read why in your orders.",
        "sw": "Limefungwa bila kurudishiwa pesa. Soma sababu kwenye oda zako.",
    },
    (Outcome.DISMISSED, Party.SELLER): {
        "en": "it is closed without a refund. Your money for it is paid as usual.",
        "sw": "Limefungwa bila kurudisha pesa. Utalipwa kama kawaida.",
    },
    (Outcome.WITHDRAWN, Party.SELLER): {
        "en": "the buyer has withdrawn it. Your money for it is paid as usual.",
        "sw": "Mnunuzi ameliondoa. Utalipwa kama kawaida.",
    },
}


def problem_words(language: str, about: str | None, *, to: str | None, amount: str) -> str:
    """A kind of problem in a few words, or what was decided as a sentence for buyer or seller.

    Empty for notifications of anything else. ``amount`` is written out, like “KES 1,500”.
    """
    if not about:
        return ""
    if about in ProblemKind.values:
        return _KINDS[ProblemKind(about)][language]
    return SENTENCES[about, to or ""][language].format(amount=amount)


SENTENCES = {(str(what), str(to)): words for (what, to), words in _DECISIONS.items()}
