"""Seeds that once found a bug: they are part of every test run."""

#: The bug each of them found, and where it was fixed.
KEPT = {
    744911828: (
        "a stranger named another payment's receipt number beside a prompt that was paid: the"
        " money the number belonged to was not counted when its own message came"
        " (reconciliation/status_query: no number is taken from what is not believed)"
    ),
    825439868: (
        "the phone was answered while the push was being sent, and the cash-out that sent it"
        " answered that the order was not paid (checkout/views)"
    ),
    8044746: (
        "M-Pesa's answer that a payment stands came twice, and the second, when its money was on"
        " its way back to the phone, was taken for an answer about that money: one of another"
        " amount was left to a person, and one of the same would have been done"
        " (webhooks/transfer_result)"
    ),
    838076028: (
        "staff typed another number for a seller whose debt kept all of a payout back: done at"
        " once, and to be approved, it broke a constraint, and so did each round of the clock after"
        " it: the seller got no payout any more (payouts/services)"
    ),
    195076645: (
        "a seller owed the shop for a line that came back, and M-Pesa took back what another of"
        " theirs was paid with, which was fetched: it was never put into a payout, and nobody was"
        " asked to let it go (payouts/services)"
    ),
    452370842: "the same, of a price that was reduced since (payouts/services)",
    250630692: (
        "every round of the clock died for a day, and the books were proved as of a time by which"
        " it was to have been round (simulation/run: as of the beginning, where it never was)"
    ),
    962899873: (
        "a refund that M-Pesa took back from its phone was written down by its number and given to"
        " an order before the portal's statement told what it was: M-Pesa said that it was paid to"
        " the number that pays out, and it was in doubt for ever, its refund due"
        " (reconciliation/returns)"
    ),
    679690713: (
        "another phone paid an order's price by hand, and had it taken back: it was taken for what"
        " the order's prompt was paid with, whose number had not come, and the shop bore the loss"
        " of money that it had (reconciliation/outcomes, reconciliation/receipts)"
    ),
    778003: (
        "a payout came back, M-Pesa said that it was reversed, and finance gave another number for"
        " what it carried, which a problem held back: when the portal's statement told that it had"
        " been made, it carried a share of another number than it went to (payouts/services)"
    ),
    113347828: (
        "of two prompts of one order M-Pesa never answered for the first, both were paid, and staff"
        " wrote the first one's number down: without the statement nobody can tell that it is not"
        " the second's (simulation/books: explained, as for a payment by hand)"
    ),
}

#: Seeds from before goods were moved; they are played without that.
GOODS_STAND_STILL = frozenset({744911828, 825439868})

#: Start of the other seeds, and how many of them `make check` plays.
BASE, FRESH = 20261123, 40

#: Seeds from before customers' reversals; they are played without them.
NOBODY_TAKES_BACK = frozenset({744911828, 825439868, 8044746, 838076028})

#: Seeds with a reversal at every step; they are played that way.
MUCH_IS_TAKEN_BACK = frozenset({778003})
