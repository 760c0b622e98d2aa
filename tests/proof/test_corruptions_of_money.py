"""Corruptions of money by SQL are found by ``prove`` or refused by a constraint.

Each is applied to one healthy shop with all triggers disabled, as the owner of the tables can do,
and rolled back.
"""

import pytest
from django.db import IntegrityError, connection, transaction

from payments.immutable_columns import TRIGGER_INFIX
from payments.proof import bounds, days, immutable_columns, messages, people, staff
from payments.proof.prove import RULES, prove

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("two_at_a_time")]

DONE = "status = 'done'"
#: Of the two payouts of KES 1,350, to two sellers.
FIRST, SECOND = (
    f"(SELECT {which}(id) FROM payments_payout WHERE amount = 1350)" for which in ("min", "max")
)
LARGE = "(SELECT id FROM payments_payout WHERE needs_approval)"
SWAPPED_SELLER = (
    f"CASE seller_id WHEN (SELECT seller_id FROM payments_payout WHERE id = {FIRST})"
    f" THEN (SELECT seller_id FROM payments_payout WHERE id = {SECOND})"
    f" ELSE (SELECT seller_id FROM payments_payout WHERE id = {FIRST}) END"
)

#: The rules that are about this.
OWN = [
    rule
    for rule in RULES
    if rule.violations.__module__
    in {module.__name__ for module in (bounds, days, messages, immutable_columns, people, staff)}
    # Of problems and what they reduce, test_corruptions_of_problems.py is.
    and "price reduction" not in rule.description
]

#: What is done, and SQL that does it; more than one statement where a value is copied elsewhere.
CORRUPTIONS = [
    (
        "commission booked as renounced",
        "UPDATE payments_ledgerentry SET account = 'renounced', order_id = NULL"
        " WHERE account = 'commission'",
    ),
    # The day, and approvals.
    ("the day's total of payouts set to 0", "UPDATE payments_payoutday SET sent = 0"),
    ("the day forgotten", "DELETE FROM payments_payoutday"),
    ("the day moved", "UPDATE payments_payoutday SET day = '2026-01-01'"),
    (
        "a large payout due, and its approval waived",
        f"UPDATE payments_payout SET needs_approval = FALSE WHERE id = {LARGE}",
    ),
    (
        "its approval waived, and the limit of its time raised with it",
        "UPDATE payments_payout SET needs_approval = FALSE, approval_above = 900000,"
        f" approved_by_id = NULL WHERE id = {LARGE}",
    ),
    (
        "a large payout approved by its seller",
        f"UPDATE payments_payout SET approved_by_id = seller_id WHERE id = {LARGE}",
    ),
    (
        "a large payout approved by who fetched its goods",
        "UPDATE payments_payout SET approved_by_id = (SELECT id FROM accounts_user WHERE username ="
        f" 'agent') WHERE id = {LARGE}",
    ),
    (
        "a large payout approved by whoever did not",
        "UPDATE payments_payout SET approved_by_id = (SELECT id FROM accounts_user WHERE username ="
        f" 'wanjiku') WHERE id = {LARGE}",
    ),
    (
        "a large payout sent without approval",
        f"UPDATE payments_payout SET approved_by_id = NULL WHERE id = {LARGE}",
    ),
    # What was posted to us.
    ("a kept message's bytes changed", "UPDATE payments_gatewayevent SET body = 'no'"),
    (
        "its bytes and its digest changed",
        "UPDATE payments_gatewayevent SET body = '{}', sha256 ="
        " '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'",
    ),
    ("all kept messages deleted", "DELETE FROM payments_gatewayevent"),
    ("one deleted", "DELETE FROM payments_gatewayevent WHERE source = 'c2b'"),
    ("messages taken to have come elsewhere", "UPDATE payments_gatewayevent SET token = ''"),
    (
        "messages taken to be a bank's",
        "UPDATE payments_gatewayevent SET source = 'equity' WHERE source = 'c2b'",
    ),
    (
        "messages about an attempt said to be about none",
        "UPDATE payments_gatewayevent SET payment_id = NULL, state = 'unmatched'"
        " WHERE payment_id IS NOT NULL AND source = 'prompt'",
    ),
    (
        "messages about a payout said to be about none",
        "UPDATE payments_gatewayevent SET payout_id = NULL WHERE payout_id IS NOT NULL",
    ),
    (
        "messages about a refund said to be about none",
        "UPDATE payments_gatewayevent SET refund_id = NULL WHERE refund_id IS NOT NULL",
    ),
    ("every message set aside", "UPDATE payments_gatewayevent SET state = 'aside'"),
    (
        "messages that came next year",
        "UPDATE payments_gatewayevent SET received_at = '2099-01-01 00:00:00+00:00'",
    ),
    # Money that came.
    (
        "a receipt's number changed",
        "UPDATE payments_receipt SET number = 'SHZ0000001' WHERE number = 'SHK0000000'",
    ),
    (
        "a receipt's number changed, and its original too",
        "UPDATE payments_receipt SET number = 'SHZ0000001' WHERE number = 'SHK0000000'",
        "DELETE FROM payments_original WHERE kind = 'receipt_number'",
        "INSERT INTO payments_original (kind, row, digest) SELECT 'receipt_number', id,"
        " {digest} FROM payments_receipt WHERE number <> ''",
    ),
    ("receipts without their numbers", "UPDATE payments_receipt SET number = ''"),
    (
        "a receipt's amount changed, in the ledger too",
        "UPDATE payments_receipt SET amount = 1600 WHERE number = 'SHK0000000'",
        "UPDATE payments_ledgerentry SET amount = 1600 WHERE posting_id IN (SELECT p.id FROM"
        " payments_ledgerposting p JOIN payments_receipt r ON r.id = p.receipt_id"
        " WHERE r.number = 'SHK0000000')",
    ),
    (
        "the payer's phone changed",
        "UPDATE payments_receipt SET phone = '254799999999' WHERE number LIKE 'SHC%'",
    ),
    (
        "suspense given to an order nobody named",
        "UPDATE payments_receipt SET order_id = (SELECT min(id) FROM orders_order), note = ''"
        " WHERE order_id IS NULL",
    ),
    ("a receipt that waits for no order", "UPDATE payments_receipt SET waiting = TRUE"),
    ("receipts of a bank's", "UPDATE payments_receipt SET provider = 'equity'"),
    ("money that nobody says is its own", "UPDATE payments_receipt SET stands_alone = TRUE"),
    (
        "a receipt said to be another",
        "UPDATE payments_receipt SET same_as_id = (SELECT min(id) FROM payments_receipt)"
        " WHERE order_id IS NULL",
    ),
    (
        "receipts of next year",
        "UPDATE payments_receipt SET created_at = '2099-01-01 00:00:00+00:00'",
    ),
    # Attempts.
    ("prompts to another phone", "UPDATE payments_orderpayment SET phone = '254799999999'"),
    ("prompts of another amount", "UPDATE payments_orderpayment SET amount = amount + 1"),
    (
        "prompts at another address",
        "UPDATE payments_orderpayment SET callback_token = 'x' || substr(callback_token, 2)",
    ),
    (
        "prompts under another id",
        "UPDATE payments_orderpayment SET checkout_request_id = 'ws_CO_x' || id"
        " WHERE checkout_request_id <> ''",
    ),
    ("prompts by hand", "UPDATE payments_orderpayment SET channel = 'pay_bill'"),
    ("prompts that failed", "UPDATE payments_orderpayment SET status = 'failed'"),
    ("confirmed at no time", "UPDATE payments_orderpayment SET confirmed_at = NULL"),
    (
        "prompts asked about in 2999",
        "UPDATE payments_orderpayment SET next_check_at = '2999-01-01 00:00:00+00:00'",
    ),
    (
        "prompts rung in 2099",
        "UPDATE payments_orderpayment SET rung_at = '2099-01-01 00:00:00+00:00'",
    ),
    # Refunds.
    ("a refund's phone changed", "UPDATE payments_refund SET phone = '254799999999'"),
    ("a refund's amount changed", "UPDATE payments_refund SET amount = amount - 1"),
    ("a refund's cause changed", "UPDATE payments_refund SET cause = 'staff'"),
    (
        "a refund of another receipt",
        "UPDATE payments_refund SET receipt_id = (SELECT min(id) FROM payments_receipt)",
    ),
    ("a refund of no order", "UPDATE payments_refund SET order_id = NULL"),
    ("a refund's id changed", "UPDATE payments_refund SET originator_conversation_id = 'omache-1'"),
    ("a refund's address changed", "UPDATE payments_refund SET callback_token = 'x'"),
    ("done refunds without M-Pesa's number", "UPDATE payments_refund SET number = ''"),
    (
        "done refunds without a number, and a reason",
        "UPDATE payments_refund SET number = '', unnumbered = 'not_told'",
    ),
    ("a refund's number changed", "UPDATE payments_refund SET number = 'TKZ0000001'"),
    ("a refund with a payment's number", "UPDATE payments_refund SET number = 'SHK0000000'"),
    ("refunds that are not done", "UPDATE payments_refund SET status = 'refused', done_at = NULL"),
    ("refunds done at no time", "UPDATE payments_refund SET done_at = NULL"),
    ("refunds done in 2099", "UPDATE payments_refund SET done_at = '2099-01-01 00:00:00+00:00'"),
    ("refunds deleted", "DELETE FROM payments_refund"),
    (
        "refunds looked at in 2999",
        "UPDATE payments_refund SET next_check_at = '2999-01-01 00:00:00+00:00'",
    ),
    # Money to sellers.
    (
        "done payouts without M-Pesa's number",
        f"UPDATE payments_payout SET number = '' WHERE {DONE}",
    ),
    (
        "done payouts without a number, and a reason",
        f"UPDATE payments_payout SET number = '', unnumbered = 'not_told' WHERE {DONE}",
    ),
    ("a payout's number changed", "UPDATE payments_payout SET number = 'x' || number"),
    (
        "payouts to another phone, and the shares with them",
        "UPDATE payments_payout SET phone = '254799999999'",
        "UPDATE payments_sellershare SET phone = '254799999999'",
    ),
    (
        "shares to another phone, as if the first had been refused",
        "UPDATE payments_payout SET phone = '254799999999'",
        "UPDATE payments_sellershare SET phone = '254799999999', tries = 1",
    ),
    (
        "the payouts of two sellers swapped",
        f"UPDATE payments_payout SET seller_id = {SWAPPED_SELLER} WHERE id IN ({FIRST}, {SECOND})",
    ),
    (
        "the ledger entries of two sellers swapped",
        f"UPDATE payments_ledgerentry SET seller_id = {SWAPPED_SELLER} WHERE seller_id IS NOT NULL"
        " AND amount IN (1500, 150, 1350)",
    ),
    (
        "payouts, shares and entries of two sellers swapped",
        f"UPDATE payments_sellershare SET seller_id = {SWAPPED_SELLER} WHERE amount = 1350",
        f"UPDATE payments_ledgerentry SET seller_id = {SWAPPED_SELLER} WHERE seller_id IS NOT NULL"
        " AND amount IN (1500, 150, 1350)",
    ),
    ("payouts at another address", "UPDATE payments_payout SET callback_token = 'x' || id"),
    ("payouts asked about elsewhere", "UPDATE payments_payout SET status_token = 'x' || id"),
    ("payouts that were never sent", "UPDATE payments_payout SET sent_at = NULL"),
    ("payouts done at no time", "UPDATE payments_payout SET done_at = NULL"),
    ("payouts of last year", "UPDATE payments_payout SET sent_at = '2025-01-01 00:00:00+00:00'"),
    (
        "payouts looked at in 2999",
        "UPDATE payments_payout SET next_check_at = '2999-01-01 00:00:00+00:00'",
    ),
    (
        "shares without commission",
        "UPDATE payments_sellershare SET commission = 0, amount = sold_for",
    ),
    ("shares deleted", "UPDATE payments_ledgerposting SET share_id = NULL"),
    ("a stop ended by nobody", "UPDATE payments_payoutstop SET ended_at = NULL"),
    (
        "the audit of who ended a stop emptied",
        "DELETE FROM accounts_audit WHERE did = 'Resume outgoing payments'",
    ),
    # The ledger.
    (
        "postings of two receipts swapped",
        "UPDATE payments_ledgerposting SET receipt_id = (SELECT r.id FROM payments_receipt r WHERE"
        " r.amount = 1500 AND r.id <> payments_ledgerposting.receipt_id)"
        " WHERE event IN ('receipt:1', 'receipt:2')"
        " OR receipt_id IN (SELECT id FROM payments_receipt WHERE amount = 1500)",
    ),
    (
        "entries of two orders swapped",
        "UPDATE payments_ledgerentry SET order_id = (SELECT r.order_id FROM payments_receipt r"
        " WHERE r.amount = 1500 AND r.order_id <> payments_ledgerentry.order_id)"
        " WHERE order_id IN (SELECT order_id FROM payments_receipt WHERE amount = 1500)",
    ),
    (
        "an event renamed",
        "UPDATE payments_ledgerposting SET event = 'receipt:0' || receipt_id"
        " WHERE event LIKE 'receipt:%'",
    ),
    (
        "postings of next year",
        "UPDATE payments_ledgerposting SET created_at = '2099-01-01 00:00:00+00:00'",
    ),
    # How far was read.
    (
        "the statement read until 2099",
        "UPDATE payments_statementpull SET read_until = '2099-01-01 00:00:00+00:00'",
    ),
    (
        "the statement read from after its end",
        "UPDATE payments_statementpull SET read_until = '2020-01-01 00:00:00+00:00'",
    ),
    (
        "the statement read again in 2999",
        "UPDATE payments_statementpull SET next_pull_at = '2999-01-01 00:00:00+00:00'",
    ),
    # Notifications.
    (
        "all messages marked sent",
        "UPDATE orders_message SET state = 'sent', next_try_at = NULL",
    ),
    (
        "all messages marked sent, at a time",
        "UPDATE orders_message SET state = 'sent', next_try_at = NULL, tries = 1,"
        " tried_at = created_at, sent_at = created_at",
    ),
    (
        "all messages marked sent, under an id",
        "UPDATE orders_message SET state = 'sent', next_try_at = NULL, tries = 1,"
        " tried_at = created_at, sent_at = created_at, provider_id = 'ATXid_1'",
    ),
    (
        "messages sent in 2099",
        "UPDATE orders_message SET sent_at = '2099-01-01 00:00:00+00:00' WHERE state = 'sent'",
    ),
    ("messages sent at no time", "UPDATE orders_message SET sent_at = NULL WHERE state = 'sent'"),
    # The staff.
    ("the audit emptied", "DELETE FROM accounts_audit"),
    (
        "another named in the audit",
        "UPDATE accounts_audit SET actor_id = (SELECT id FROM accounts_user WHERE username ="
        " 'agent')",
    ),
    ("another reason in the audit", "UPDATE accounts_audit SET why = 'As agreed.'"),
    ("another row in the audit", "UPDATE accounts_audit SET object_id = '999'"),
    ("another action in the audit", "UPDATE accounts_audit SET action = 'console.stop.end'"),
    ("no action in the audit", "UPDATE accounts_audit SET action = ''"),
    (
        "an audit of next year",
        "UPDATE accounts_audit SET at = '2099-01-01 00:00:00+00:00'",
    ),
    ("everybody staff", "UPDATE accounts_user SET is_staff = TRUE"),
    ("everybody a superuser", "UPDATE accounts_user SET is_superuser = TRUE"),
    (
        "a role that nobody gave",
        "INSERT INTO accounts_user_groups (user_id, group_id) SELECT u.id, g.id FROM accounts_user"
        " u, auth_group g WHERE u.username = 'wanjiku'",
    ),
    (
        "a permission that nobody gave",
        "INSERT INTO accounts_user_user_permissions (user_id, permission_id) SELECT u.id, p.id FROM"
        " accounts_user u, auth_permission p WHERE u.username = 'wanjiku'",
    ),
    # What is gone, and when nothing was.
    *(
        (f"every row deleted of {table}", f"DELETE FROM {table}")
        for table in (
            "payments_payout",
            "payments_sellershare",
            "payments_receipt",
            "payments_orderpayment",
            "payments_ledgerposting",
            "payments_ledgerentry",
        )
    ),
    *(
        (f"{table} in 2099", f"UPDATE {table} SET {column} = '2099-01-01 00:00:00+00:00'")
        for table, column in (
            ("payments_payout", "created_at"),
            ("payments_payoutstop", "created_at"),
            ("payments_sellershare", "created_at"),
            ("orders_notice", "created_at"),
            ("payments_accesstoken", "good_until"),
        )
    ),
    (
        "money that left in 2099",
        "INSERT INTO payments_withdrawal"
        " (number, shortcode, amount, phone, reason, reverses, left_at, state, created_at)"
        " VALUES ('SKX1', '600000', 100, '', '', '', '2099-01-01 00:00:00+00:00', 'open',"
        " '2026-01-01 00:00:00+00:00')",
    ),
    (
        "what is to be told put off until 2999",
        "UPDATE orders_message SET next_try_at = '2999-01-01 00:00:00+00:00' WHERE state = 'due'",
    ),
    (
        "payouts that are not done, and have numbers",
        "UPDATE payments_payout SET status = 'refused', done_at = NULL",
    ),
    (
        "a refund for another order",
        "UPDATE payments_refund SET order_id = (SELECT min(id) FROM orders_order)",
    ),
    (
        "a refund under a payout's number",
        "UPDATE payments_refund SET number ="
        f" (SELECT number FROM payments_payout WHERE id = {FIRST})",
    ),
    ("a refund that replaces itself", "UPDATE payments_refund SET replaces_id = id"),
    ("the day's total of refunds set to 0", "UPDATE payments_refundday SET sent = 0"),
    ("the day of the refunds forgotten", "DELETE FROM payments_refundday"),
    (
        "goods handed out by their own seller",
        "UPDATE orders_trackevent SET actor_id = (SELECT seller_id FROM orders_ordertrack"
        " WHERE id = track_id) WHERE track_status = 'fetched'",
    ),
    # The originals themselves.
    ("the originals emptied", "DELETE FROM payments_original"),
    ("the originals changed", "UPDATE payments_original SET digest = 'x'"),
]


def _without_triggers(cursor):
    """Take every trigger down for the rest of the savepoint, as the tables' owner can."""
    if connection.vendor == "postgresql":
        cursor.execute("SET LOCAL session_replication_role = replica")
        return
    cursor.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
        [f"%{TRIGGER_INFIX}%"],
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP TRIGGER {name}")


def _seen(statements, own) -> set[str]:
    """Which of these rules find it, or of all if none of these does; of what a constraint refuses,
    its name alone."""
    digest = (
        "encode(sha256(convert_to(number, 'UTF8')), 'hex')"
        if connection.vendor == "postgresql"
        else "SHA256(number)"
    )
    found: set[str] = set()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _without_triggers(cursor)
            for statement in statements:
                cursor.execute(statement.replace("{digest}", digest))
                assert cursor.rowcount > 0, f"nothing to corrupt: {statement}"
            broken = prove(rules=own).broken or prove().broken
            found = {each.rule for each in broken}
            transaction.set_rollback(True)
    except IntegrityError as refusal:
        found = {str(refusal)}
    return found


@pytest.mark.long
def test_every_corruption_of_money_is_seen_or_refused(healthy):
    assert [str(broken) for broken in prove().broken] == []

    seen = {name: _seen(statements, OWN) for name, *statements in CORRUPTIONS}

    assert [name for name, found in seen.items() if not found] == []
    # A rule that none of them breaks would be one that cannot fail.
    broken = set().union(*seen.values())
    assert [rule.description for rule in OWN if rule.description not in broken] == []
    assert [str(broken) for broken in prove().broken] == []
