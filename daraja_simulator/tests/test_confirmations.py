"""Confirmations of payments, and their faults."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from .waiting import PATIENCE, wait_until


def confirmations(shop):
    return shop.posted_to("confirm")


def test_a_prompt_that_is_paid_is_confirmed_too_under_the_same_receipt(daraja, shop):
    daraja.register()
    daraja.pay(AccountReference="SOFA22")

    [told] = confirmations(shop)
    assert shop.posted_to("validate") == []
    assert told["TransID"] == shop.items()["MpesaReceiptNumber"]
    assert (told["BillRefNumber"], told["TransAmount"]) == ("SOFA22", "1500.00")
    assert [path.rsplit("/", 1)[1] for path in shop.paths] == ["", "confirm"]


def test_a_prompt_that_failed_is_not_confirmed(daraja, shop):
    daraja.register()
    daraja.simulator.script(outcome="1032")
    daraja.pay()

    assert confirmations(shop) == []


def test_confirming_prompts_can_be_switched_off(daraja_with, shop):
    daraja = daraja_with(stk_confirmations=False)
    daraja.register()
    daraja.pay()

    assert confirmations(shop) == []
    assert len(shop.results) == 1


def test_a_confirmation_arrives_though_the_callback_is_lost(daraja, shop):
    daraja.register()
    daraja.simulator.script(callbacks=0)
    daraja.pay()

    assert shop.results == []
    assert len(confirmations(shop)) == 1


def test_a_confirmation_can_be_lost(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", callbacks=0)
    daraja.pay()

    assert confirmations(shop) == []
    assert len(shop.results) == 1


def test_a_confirmation_can_come_twice(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", callbacks=2)
    daraja.pay()

    first, second = confirmations(shop)
    assert first == second
    assert daraja.simulator.books()["received"] == 1500


def test_a_confirmation_can_come_before_the_callback(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", confirmation_first=True)
    daraja.pay()

    assert [path.rsplit("/", 1)[1] for path in shop.paths] == ["confirm", ""]


def test_a_confirmation_can_be_late(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", callback_delay=60)
    daraja.push()
    wait_until(lambda: shop.results)
    assert not daraja.simulator.wait_until_quiet(0.2)
    assert confirmations(shop) == []

    daraja.simulator.advance(60)

    assert daraja.simulator.wait_until_quiet()
    assert len(confirmations(shop)) == 1


def test_due_actions_run_before_the_clock_moves(daraja_with, shop):
    daraja = daraja_with(callback_timeout=PATIENCE)
    daraja.register()
    daraja.simulator.script(operation="c2b", callback_delay=60)
    shop.seconds = PATIENCE
    daraja.push()
    wait_until(lambda: shop.results)

    with ThreadPoolExecutor(1) as pool:
        moved = pool.submit(daraja.simulator.advance, 60)
        with pytest.raises(TimeoutError):
            moved.result(0.1)
        # The callback ends, and the action it has scheduled becomes due.
        shop.delay.set()

    assert daraja.simulator.wait_until_quiet()
    assert len(confirmations(shop)) == 1


def test_a_confirmation_can_name_a_wrong_account(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", account="SOFA 2Z")
    daraja.simulate()

    assert confirmations(shop)[0]["BillRefNumber"] == "SOFA 2Z"
    assert daraja.simulator.books()["entries"][0]["reference"] == "SOFA 2Z"


def test_a_forged_confirmation_moves_no_money(daraja, shop):
    daraja.register()
    daraja.simulator.script(operation="c2b", forge="right_token", callbacks=0)
    daraja.simulate()

    [forged] = confirmations(shop)
    receipts = [entry["receipt"] for entry in daraja.simulator.books()["entries"]]
    assert forged["TransID"] not in receipts
