"""Corruptions of deliveries, parcels and fees, as in corruptions_of_sales.py."""

AGREED = "An order's delivery and its parcels' fees match the agreement"
IN_ITS_PARCEL = "A line of a delivered order is in its seller's parcel, and any other line is in"
HAS_A_LINE = "A parcel has lines"
WHOSE = "A delivery fee is the shop's once a line of its parcel was delivered, until then the"
IN_LEDGER = "A delivery fee is in the ledger as income exactly while the shop has earned it"
OF_A_PARCEL = "Ledger entries of delivery fees belong to parcels, and parcels have no other entries"
COVERED = "The lines of a paid order are covered by its payments, and any excess is owed back"
WITH_WHOM = "A parcel's agent is the last one who claimed it, or nobody once it was released"
AT_POINT = "A parcel at its pick-up point arrived there once, after its goods were shipped"
IN_VAIN = "A failed delivery was to an address, and after the parcel was shipped"
PARCELS_ARE_KEPT = "the steps of a parcel are only added to"
FEES_ARE_KEPT = "fees given back are only added to"


def of_delivery(*changes: str) -> list[str]:
    return [
        f"UPDATE orders_orderdelivery SET {change} WHERE order_id = {{brought}}"
        for change in changes
    ]


def of_parcel(parcel: str, *changes: str) -> list[str]:
    return [f"UPDATE orders_parcel SET {change} WHERE id = {parcel}" for change in changes]


def posted(event: str, debit: str, credit: str, *, parcel: str = "NULL") -> list[str]:
    """A posting of KES 100 for the order that is brought."""

    def entry(account: str, side: str) -> str:
        return (
            "INSERT INTO payments_ledgerentry (posting_id, account, side, amount, order_id)"
            f" SELECT id, '{account}', '{side}', 100, {{brought}} FROM payments_ledgerposting"
            f" WHERE event = '{event}'"
        )

    return [
        "INSERT INTO payments_ledgerposting (event, parcel_id, created_at)"
        f" VALUES ('{event}', {parcel}, {{now}})",
        entry(debit, "debit"),
        entry(credit, "credit"),
    ]


def stepped(parcel: str, step: str, *, agent: str = "NULL", reason: str = "") -> list[str]:
    return [
        "INSERT INTO orders_parcelevent"
        " (parcel_id, step, agent_id, actor_id, reason, note, created_at)"
        f" VALUES ({parcel}, '{step}', {agent}, {{friend}}, '{reason}', '', {{now}})"
    ]


OF_DELIVERIES = [
    ("another way", of_delivery("way = 'home', pickup_point_id = NULL"), AGREED),
    ("another point", of_delivery("pickup_point_id = {elsewhere}"), AGREED),
    ("another county", of_delivery("county = 'mombasa'"), AGREED),
    ("a county there is not", of_delivery("county = 'atlantis'"), "delivery_is_to_a_county"),
    ("fewer days", of_delivery("days = 1"), AGREED),
    ("another fee", of_parcel("{held}", "fee = 90"), AGREED),
    (
        "another fee, and the order's amount with it",
        [
            *of_parcel("{held}", "fee = 90"),
            "UPDATE orders_order SET amount = amount - 10 WHERE id = {brought}",
        ],
        AGREED,
    ),
    (
        "fees of two parcels swapped in part",
        [*of_parcel("{held}", "fee = 90"), *of_parcel("{held_too}", "fee = 110")],
        AGREED,
    ),
    ("another seller", of_parcel("{held}", "seller_id = {friend}"), IN_ITS_PARCEL),
    (
        "its digest",
        ["UPDATE orders_deliverydigest SET sha256 = '' WHERE order_id = {brought}"],
        "what was agreed is only added to",
    ),
    (
        "where it goes is gone",
        ["DELETE FROM orders_orderdelivery WHERE order_id = {brought}"],
        IN_ITS_PARCEL,
    ),
    (
        "an order brought somewhere for nothing",
        [
            "INSERT INTO orders_orderdelivery (order_id, way, pickup_point_id, recipient, phone,"
            " county, area, directions, days) VALUES"
            " ({order}, 'pickup', {elsewhere}, '', '', 'mombasa', '', '', 2)"
        ],
        IN_ITS_PARCEL,
    ),
    (
        "a line in no parcel",
        ["UPDATE orders_ordertrack SET parcel_id = NULL WHERE id = {of_kettle}"],
        IN_ITS_PARCEL,
    ),
    (
        "a line in another seller's parcel",
        ["UPDATE orders_ordertrack SET parcel_id = {held} WHERE id = {of_drill}"],
        IN_ITS_PARCEL,
    ),
    (
        "a line in another order's parcel",
        ["UPDATE orders_ordertrack SET parcel_id = {off} WHERE id = {of_kettle}"],
        IN_ITS_PARCEL,
    ),
    (
        "a line of an order that goes nowhere in a parcel",
        ["UPDATE orders_ordertrack SET parcel_id = {held} WHERE id = {paid}"],
        IN_ITS_PARCEL,
    ),
    (
        "a parcel of nothing",
        [
            "INSERT INTO orders_parcel (order_id, seller_id, fee, fee_state)"
            " VALUES ({order}, {friend}, 0, 'held')"
        ],
        HAS_A_LINE,
    ),
    ("a fee earned before its time", of_parcel("{held}", "fee_state = 'earned'"), WHOSE),
    (
        "a fee earned before its time, and posted",
        [
            *of_parcel("{held}", "fee_state = 'earned'"),
            *posted("delivery:{held}", "buyers_held", "delivery_fees", parcel="{held}"),
        ],
        WHOSE,
    ),
    ("a fee given back by nobody", of_parcel("{held}", "fee_state = 'returned'"), WHOSE),
    ("a fee owed back no more", of_parcel("{off}", "fee_state = 'held'"), WHOSE),
    ("a fee of goods nobody got, earned", of_parcel("{off}", "fee_state = 'earned'"), WHOSE),
    ("an earned fee held again", of_parcel("{earned}", "fee_state = 'held'"), WHOSE),
    ("a fee given back, and held again", of_parcel("{given_back}", "fee_state = 'held'"), WHOSE),
    ("a fee given back, and not owed", of_parcel("{given_back}", "fee_state = 'held'"), COVERED),
    (
        "a fee that staff gave back, and nobody was told",
        [
            "INSERT INTO orders_feereturn (parcel_id, decided_by_id, why, created_at)"
            " VALUES ({held}, {agent}, 'Why not.', {now})"
        ],
        WHOSE,
    ),
    (
        "who gave it back",
        ["UPDATE orders_feereturn SET decided_by_id = {friend}"],
        FEES_ARE_KEPT,
    ),
    ("a fee state there is not", of_parcel("{held}", "fee_state = 'lost'"), "parcel_fee_state_is"),
    (
        "an earned fee posted twice",
        posted("again:1", "buyers_held", "delivery_fees", parcel="{earned}"),
        IN_LEDGER,
    ),
    (
        "an earned fee posted back",
        posted("delivery-back:{earned}", "delivery_fees", "buyers_held", parcel="{earned}"),
        IN_LEDGER,
    ),
    (
        "money on delivery fees that is no parcel's",
        posted("gift:1", "buyers_held", "delivery_fees"),
        OF_A_PARCEL,
    ),
    (
        "a fee that is the shop's commission",
        posted("delivery:{held}", "buyers_held", "commission", parcel="{held}"),
        OF_A_PARCEL,
    ),
    (
        "a fee posted for another order",
        posted("again:2", "buyers_held", "delivery_fees", parcel="{earned}"),
        "A ledger entry names the order of its receipt, refund, earnings or parcel",
    ),
    (
        "a posting named for another parcel",
        posted("delivery:{held}", "buyers_held", "delivery_fees", parcel="{earned}"),
        "A posting belongs to the row that its event names",
    ),
    ("taken on by nobody", of_parcel("{held}", "agent_id = NULL, claimed_at = NULL"), WITH_WHOM),
    ("with somebody else", of_parcel("{held}", "agent_id = {friend}"), WITH_WHOM),
    (
        "taken on without a word",
        of_parcel("{held_too}", "agent_id = {friend}, claimed_at = {now}"),
        WITH_WHOM,
    ),
    (
        "given up, and still with its agent",
        stepped("{held}", "released", agent="{agent}"),
        WITH_WHOM,
    ),
    ("at its point, which did not take it in", of_parcel("{held}", "arrived_at = {now}"), AT_POINT),
    ("not at its point, which took it in", of_parcel("{earned}", "arrived_at = NULL"), AT_POINT),
    ("taken in twice", stepped("{earned}", "arrived"), AT_POINT),
    (
        "taken in before it was fetched",
        [*of_parcel("{held}", "arrived_at = {now}"), *stepped("{held}", "arrived")],
        AT_POINT,
    ),
    (
        "brought in vain to a pick-up point",
        stepped("{earned}", "attempted", reason="nobody_there"),
        IN_VAIN,
    ),
    (
        "brought in vain, and not said why",
        stepped("{earned}", "attempted"),
        "parcel_attempt_says_why",
    ),
    (
        "who took it in",
        ["UPDATE orders_parcelevent SET actor_id = {friend}"],
        PARCELS_ARE_KEPT,
    ),
    ("more guesses than there are", of_parcel("{held}", "code_misses = 6"), "parcel_has_no_more"),
    (
        "a parcel of which there are two",
        [
            "INSERT INTO orders_parcel (order_id, seller_id, fee, fee_state)"
            " VALUES ({brought}, {seller}, 0, 'held')"
        ],
        "unique",
    ),
]
