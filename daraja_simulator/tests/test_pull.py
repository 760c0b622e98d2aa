"""Pull Transactions."""

import re
from datetime import datetime, timedelta

import pytest
import requests

from daraja_simulator.clock import EAT

from .caller import PHONE, error_of
from .waiting import PATIENCE


def written(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class Puller:
    def __init__(self, daraja):
        self.daraja = daraja

    def register(self, **changes):
        body = {
            "ShortCode": "174379",
            "RequestType": "Pull",
            "NominatedNumber": PHONE,
            "CallBackURL": self.daraja.shop.url,
            **changes,
        }
        return self.daraja.post("/pulltransactions/v1/register", body)

    def body(self, **changes):
        now = datetime.now(EAT) + timedelta(seconds=self.daraja.simulator.world.clock.ahead)
        return {
            "ShortCode": "174379",
            "StartDate": written(now - timedelta(hours=72)),
            "EndDate": written(now),
            "OffSetValue": "0",
            **changes,
        }

    def query(self, **changes):
        return self.daraja.post("/pulltransactions/v1/query", self.body(**changes))

    def rows(self, **changes):
        said = self.query(**changes).json()
        assert said["ResponseCode"] == ("1000" if said["Response"][0] else "1001")
        return said["Response"][0]

    def receipts(self, **changes):
        return [row["transactionId"] for row in self.rows(**changes)]


@pytest.fixture
def puller(daraja):
    puller = Puller(daraja)
    puller.register()
    return puller


def test_a_number_is_registered_once_and_then_known(daraja):
    puller = Puller(daraja)
    first, second = puller.register().json(), puller.register().json()

    assert (first["ResponseStatus"], second["ResponseStatus"]) == ("1000", "1001")
    assert second["ResponseDescription"] == "ShortCode already Registered"


def test_a_number_not_registered_cannot_pull(daraja):
    refused = error_of(Puller(daraja).query())

    assert refused == (400, "400.002.02", "Bad Request - Invalid ShortCode")


def test_a_payment_is_a_row_in_the_statement_s_own_spelling(puller, daraja):
    paid = daraja.simulator.pay_by_hand(PHONE, 168, "SOFA22")

    [row] = puller.rows()
    assert re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", row.pop("trxDate"))
    assert re.fullmatch(r"[A-Z]+ [A-Z]+", row.pop("sender"))
    assert row == {
        "transactionId": paid["receipt"],
        "msisdn": 712345678,
        "transactiontype": "c2b-pay-bill-debit",
        "billreference": "SOFA22",
        "amount": "168.00",
        "organizationname": "O-MACHE",
    }


def test_stk_payments_are_included_and_payouts_and_other_shortcodes_are_not(puller, daraja, shop):
    daraja.pay()
    daraja.pay_out()
    daraja.reverse(shop.items()["MpesaReceiptNumber"])
    daraja.simulator.pay_by_hand(PHONE, 5, business="600111")

    assert puller.receipts() == [shop.items()["MpesaReceiptNumber"]]


def test_an_empty_result_is_1001_with_an_empty_nested_list(puller):
    said = puller.query().json()

    assert (said["ResponseCode"], said["Response"]) == ("1001", [[]])


def test_pages_begin_at_a_row(daraja_with):
    daraja = daraja_with(pull_page=2)
    puller = Puller(daraja)
    puller.register()
    receipts = [daraja.simulator.pay_by_hand(PHONE, amount, "A")["receipt"] for amount in (1, 2, 3)]

    assert puller.receipts() == receipts[:2]
    assert puller.receipts(OffSetValue="1") == receipts[1:]
    assert puller.receipts(OffSetValue=2) == receipts[2:]
    assert puller.receipts(OffSetValue="3") == []


def test_only_the_last_48_hours_can_be_pulled(puller, daraja):
    old = daraja.simulator.pay_by_hand(PHONE, 1, "A")["receipt"]
    daraja.simulator.advance(47 * 3600)
    new = daraja.simulator.pay_by_hand(PHONE, 2, "A")["receipt"]
    daraja._token = None
    assert puller.receipts() == [old, new]

    daraja.simulator.advance(2 * 3600)
    daraja._token = None

    assert puller.receipts() == [new]


def test_both_dates_are_inclusive_and_nairobi_time(puller, daraja):
    receipt = daraja.simulator.pay_by_hand(PHONE, 1, "A")["receipt"]
    [entry] = daraja.simulator.books()["entries"]
    paid = datetime.fromisoformat(entry["time"])
    earlier, later = written(paid - timedelta(seconds=1)), written(paid + timedelta(seconds=1))

    assert puller.receipts(StartDate=written(paid), EndDate=written(paid)) == [receipt]
    assert puller.receipts(EndDate=earlier) == []
    assert puller.receipts(StartDate=later, EndDate=later) == []


def test_pull_transactions_can_be_queried_with_get(puller, daraja):
    receipt = daraja.simulator.pay_by_hand(PHONE, 1, "A")["receipt"]
    answer = requests.get(
        daraja.simulator.url + "/pulltransactions/v1/query",
        params=puller.body(),
        headers={"Authorization": f"Bearer {daraja.token}"},
        timeout=PATIENCE,
    )

    assert answer.json()["Response"][0][0]["transactionId"] == receipt


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ShortCode": "999999"}, "ShortCode"),
        ({"StartDate": "yesterday"}, "StartDate"),
        ({"EndDate": None}, "EndDate"),
        ({"OffSetValue": "-1"}, "OffSetValue"),
    ],
)
def test_an_invalid_field_is_named_in_the_error(puller, changes, field):
    refused = error_of(puller.query(**changes))

    assert refused == (400, "400.002.02", f"Bad Request - Invalid {field}")


def test_a_statement_can_be_empty_or_refused_by_script(puller, daraja):
    daraja.simulator.pay_by_hand(PHONE, 1, "A")
    daraja.simulator.script(operation="pull", query="unknown")
    daraja.simulator.script(operation="pull", refuse="spike_arrest")

    assert puller.receipts() == []
    assert error_of(puller.query())[1] == "500.003.02"
    assert len(puller.receipts()) == 1


def test_a_reset_forgets_who_may_pull(puller, daraja):
    daraja.simulator.reset()

    assert error_of(puller.query())[2].endswith("ShortCode")
