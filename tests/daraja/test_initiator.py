"""The initiator's requests, and the meaning of each response."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daraja_simulator.clock import EAT
from daraja_simulator.keys import Keys
from daraja_simulator.tests.waiting import wait_until
from payments.daraja.client import Conversation
from payments.daraja.credential import security_credential
from payments.daraja.errors import DarajaDuplicate, DarajaRefusal, DarajaRefused, DarajaUnknown

from .conftest import A_PAYOUT, A_REVERSAL, SAID_LATER, an_account
from .gateway import (
    BALANCE,
    OPENED,
    PAY,
    REVERSE,
    STATUS,
    error,
    hangs_up,
    replies,
    resets,
    stays_silent,
    stops_half_way,
    writes,
)

A_QUESTION = {"receipt": "TAV1DE2FGH", **SAID_LATER}
CALLS = {
    "b2c_payment": (PAY, A_PAYOUT),
    "reversal": (REVERSE, A_REVERSAL),
    "transaction_status": (STATUS, A_QUESTION),
    "account_balance": (BALANCE, SAID_LATER),
}
MONEY = ["b2c_payment", "reversal"]
QUESTIONS = ["transaction_status", "account_balance"]

URLS = {
    "ResultURL": "https://shop.co.ke/hook/0123abcd/result/",
    "QueueTimeOutURL": "https://shop.co.ke/hook/0123abcd/late/",
}


def call(client, name, **changes):
    return getattr(client, name)(**CALLS[name][1] | changes)


def sent(gateway, name):
    """The fields of the only request sent, and the decrypted password."""
    (heard,) = gateway.heard_on(CALLS[name][0])
    fields = heard.fields
    return fields, Keys().decrypt(fields.pop("SecurityCredential"))


def test_a_payout_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    daraja.b2c_payment(**A_PAYOUT)

    assert sent(gateway, "b2c_payment") == (
        {
            "OriginatorConversationID": "payout-7-0",
            "InitiatorName": "operator",
            "CommandID": "BusinessPayment",
            "Amount": 1500,
            "PartyA": "600000",
            "PartyB": "254712345678",
            "Remarks": "O-Mache order 7",
            **URLS,
        },
        b"the-password",
    )
    assert gateway.heard_on(PAY)[0].headers["Authorization"] == "Bearer token-1"


def test_a_payout_may_be_of_another_kind(daraja, gateway):
    daraja.b2c_payment(**A_PAYOUT, command="PromotionPayment")

    assert sent(gateway, "b2c_payment")[0]["CommandID"] == "PromotionPayment"


def test_a_reversal_sends_exactly_what_the_portal_asks_for(daraja, gateway):
    daraja.reversal(**A_REVERSAL)

    assert sent(gateway, "reversal") == (
        {
            "Initiator": "operator",
            "CommandID": "TransactionReversal",
            "TransactionID": "TAV1DE2FGH",
            "Amount": "1500",
            "ReceiverParty": "174379",
            "RecieverIdentifierType": "11",
            "Remarks": "O-Mache order 7",
            **URLS,
        },
        b"the-password",
    )


def test_a_till_gives_back_under_its_own_number(gateway, make_client):
    account = an_account(gateway.url, party_b="5551234")

    make_client(gateway.url, account=account).reversal(**A_REVERSAL)

    assert sent(gateway, "reversal")[0]["ReceiverParty"] == "5551234"


@pytest.mark.parametrize(
    ("asked", "sent_fields"),
    [
        ({"receipt": "TAV1DE2FGH"}, {"TransactionID": "TAV1DE2FGH", "PartyA": "174379"}),
        (
            {"originator_conversation_id": "payout-7-0"},
            {"OriginalConversationID": "payout-7-0", "PartyA": "600000"},
        ),
        (
            {"receipt": "TAV1DE2FGH", "shortcode": "600000"},
            {"TransactionID": "TAV1DE2FGH", "PartyA": "600000"},
        ),
        (
            {"originator_conversation_id": "10571-7910404-1", "shortcode": "174379"},
            {"OriginalConversationID": "10571-7910404-1", "PartyA": "174379"},
        ),
    ],
)
def test_a_status_query_sends_exactly_what_the_portal_asks_for(daraja, gateway, asked, sent_fields):
    daraja.transaction_status(**asked, **SAID_LATER)

    assert sent(gateway, "transaction_status") == (
        {
            "Initiator": "operator",
            "CommandID": "TransactionStatusQuery",
            "IdentifierType": "4",
            "Remarks": "Status",
            "Occasion": "Status",
            **sent_fields,
            **URLS,
        },
        b"the-password",
    )


@pytest.mark.parametrize(("asked", "party"), [({}, "600000"), ({"shortcode": "174379"}, "174379")])
def test_a_balance_query_sends_exactly_what_the_portal_asks_for(daraja, gateway, asked, party):
    daraja.account_balance(**asked, **SAID_LATER)

    assert sent(gateway, "account_balance") == (
        {
            "Initiator": "operator",
            "CommandID": "AccountBalance",
            "PartyA": party,
            "IdentifierType": "4",
            "Remarks": "Balance",
            **URLS,
        },
        b"the-password",
    )


@pytest.mark.parametrize("name", CALLS)
def test_an_accepted_request_returns_both_ids(daraja, name):
    assert call(daraja, name) == Conversation(
        conversation_id="AG_20250131_00004e48cf7e3533f581",
        originator_conversation_id="10571-7910404-1",
    )


def test_a_payout_whose_id_is_not_repeated_has_ours(daraja, gateway):
    gateway.on(PAY, replies(200, OPENED | {"OriginatorConversationID": ""}))

    assert daraja.b2c_payment(**A_PAYOUT).originator_conversation_id == "payout-7-0"


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("b2c_payment", "phone", "0712345678"),
        ("b2c_payment", "phone", 254712345678),
        ("b2c_payment", "amount", 9),
        ("b2c_payment", "amount", 250_001),
        ("b2c_payment", "amount", 100.0),
        ("b2c_payment", "amount", True),
        ("b2c_payment", "originator_conversation_id", ""),
        ("b2c_payment", "originator_conversation_id", "w" * 65),
        ("b2c_payment", "originator_conversation_id", "pay out"),
        ("b2c_payment", "originator_conversation_id", None),
        ("b2c_payment", "remarks", "x"),
        ("b2c_payment", "remarks", " x"),
        ("b2c_payment", "remarks", "x" * 101),
        ("b2c_payment", "remarks", "two\nlines"),
        ("b2c_payment", "remarks", None),
        ("b2c_payment", "command", "BusinessPayBill"),
        ("reversal", "receipt", ""),
        ("reversal", "receipt", "tav1de2fgh"),
        ("reversal", "receipt", None),
        ("reversal", "amount", 0),
        ("reversal", "amount", "1500"),
        ("reversal", "remarks", "x"),
        ("transaction_status", "receipt", ""),
        ("transaction_status", "receipt", "TAV1"),
        ("transaction_status", "originator_conversation_id", "payout-7-0"),
    ],
)
def test_a_callers_mistake_is_a_value_error_and_sends_nothing(
    daraja, gateway, name, argument, value
):
    with pytest.raises(ValueError, match=argument):
        call(daraja, name, **{argument: value})
    assert gateway.heard == []


def test_a_status_query_by_an_id_that_is_none_is_a_value_error(daraja, gateway):
    with pytest.raises(ValueError, match="originator_conversation_id"):
        daraja.transaction_status(originator_conversation_id="pay out", **SAID_LATER)
    assert gateway.heard == []


@pytest.mark.parametrize("amount", [10, 250_000])
def test_the_smallest_and_the_largest_payout_are_sent(daraja, gateway, amount):
    daraja.b2c_payment(**A_PAYOUT | {"amount": amount})

    assert sent(gateway, "b2c_payment")[0]["Amount"] == amount


@pytest.mark.parametrize("remarks", ["ok", "x" * 100])
def test_the_shortest_and_the_longest_remarks_are_sent(daraja, gateway, remarks):
    daraja.b2c_payment(**A_PAYOUT | {"remarks": remarks})

    assert sent(gateway, "b2c_payment")[0]["Remarks"] == remarks


@pytest.fixture(scope="session")
def elliptic():
    """A certificate whose key cannot encrypt."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elliptic")])
    certificate = x509.load_pem_x509_certificate(Keys().certificate.encode())
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(certificate.not_valid_before_utc.astimezone(EAT))
        .not_valid_after(certificate.not_valid_after_utc.astimezone(EAT))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def refused_before_sending(gateway, make_client, name, **changes):
    account = an_account(gateway.url, **changes)
    with pytest.raises(DarajaRefused) as refused:
        call(make_client(gateway.url, account=account), name)
    assert refused.value.kind == DarajaRefusal.CONFIGURATION
    assert gateway.heard == []
    return refused.value.message


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initiator_name": ""}, "the initiator's name is not configured"),
        ({"initiator_password": ""}, "the initiator's password is not configured"),
        ({"certificate": ""}, "Safaricom's certificate is not configured"),
        ({"certificate": "-----BEGIN CERTIFICATE-----"}, "the certificate cannot be read"),
        ({"certificate": "\ud800"}, "the certificate cannot be read"),
        ({"initiator_password": "x" * 300}, "the initiator's password cannot be encrypted"),
        ({"initiator_password": "\ud800"}, "the initiator's password cannot be encrypted"),
    ],
)
def test_without_operator_or_certificate_nothing_is_sent(
    gateway, make_client, name, changes, message
):
    assert refused_before_sending(gateway, make_client, name, **changes) == message


def test_a_certificate_of_another_kind_of_key_is_a_refusal(gateway, make_client, elliptic):
    message = refused_before_sending(gateway, make_client, "b2c_payment", certificate=elliptic)

    assert message == "the certificate does not hold an RSA key"


@pytest.mark.parametrize("name", ["b2c_payment", "account_balance"])
def test_without_a_number_that_pays_out_nothing_is_sent(gateway, make_client, name):
    message = refused_before_sending(gateway, make_client, name, b2c_shortcode="")

    assert message.endswith("is not configured")


def test_without_a_number_that_pays_out_no_payout_is_asked_about(gateway, make_client):
    daraja = make_client(gateway.url, account=an_account(gateway.url, b2c_shortcode=""))

    with pytest.raises(DarajaRefused) as refused:
        daraja.transaction_status(originator_conversation_id="payout-7-0", **SAID_LATER)

    assert refused.value.kind == DarajaRefusal.CONFIGURATION
    assert gateway.heard == []


def test_the_credential_is_the_password_alone_under_pkcs1_v1_5():
    credential = security_credential(password="pass#1", certificate=Keys().certificate)

    assert len(base64.b64decode(credential, validate=True)) == 256
    assert Keys().decrypt(credential) == b"pass#1"


def test_the_credential_is_made_once(daraja, gateway):
    daraja.b2c_payment(**A_PAYOUT)
    daraja.account_balance(**SAID_LATER)

    (payout,), (question,) = gateway.heard_on(PAY), gateway.heard_on(BALANCE)
    assert payout.fields["SecurityCredential"] == question.fields["SecurityCredential"]


def test_the_password_is_in_no_repr():
    account = an_account("http://127.0.0.1:1")

    assert "the-password" not in repr(account)
    assert "CERTIFICATE" not in repr(account)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "400.002.02", "Bad Request - Invalid PartyB", DarajaRefusal.BAD_REQUEST),
        (400, "400.002.05", "Invalid Request Payload", DarajaRefusal.BAD_REQUEST),
        (404, "404.001.01", "Resource not found", DarajaRefusal.CONFIGURATION),
        (500, "500.001.1001", "Merchant does not exist", DarajaRefusal.CONFIGURATION),
        (500, "500.003.02", "Spike Arrest Violation", DarajaRefusal.BUSY_GATEWAY),
        (500, "500.003.03", "Quota Violation", DarajaRefusal.BUSY_GATEWAY),
        (200, "400.002.02", "Bad Request - Invalid ResultURL", DarajaRefusal.BAD_REQUEST),
    ],
)
def test_an_error_code_that_means_not_processed_is_a_refusal(
    daraja, gateway, name, status, code, message, kind
):
    gateway.on(CALLS[name][0], error(status, code, message))

    with pytest.raises(DarajaRefused) as refused:
        call(daraja, name)

    assert (refused.value.kind, refused.value.code) == (kind, code)
    assert refused.value.message == message
    assert len(gateway.heard_on(CALLS[name][0])) == 1


@pytest.mark.parametrize("name", CALLS)
def test_the_gateways_own_rate_limit_is_a_refusal(daraja, gateway, name):
    code = "policies.ratelimit.SpikeArrestViolation"
    fault = {"faultstring": "Spike arrest violation", "detail": {"errorcode": code}}
    gateway.on(CALLS[name][0], replies(429, {"fault": fault}))

    with pytest.raises(DarajaRefused) as refused:
        call(daraja, name)

    assert refused.value.kind == DarajaRefusal.BUSY_GATEWAY


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"errorCode": "500.002.1001", "errorMessage": "System internal error."}),
        (500, {"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}),
        (500, {"errorCode": "500.001.1001", "errorMessage": ""}),
        (200, {"errorCode": "500.001.1001", "errorMessage": ""}),
        (
            500,
            {
                "errorCode": "500.003.02",
                "errorMessage": "System is busy. Please try again in few minutes.",
            },
        ),
        (500, {"errorCode": "500.003.02"}),
        (400, {"errorCode": "400.009.77", "errorMessage": "Something new"}),
        (409, {"errorCode": "409.001.01", "errorMessage": "Conflict"}),
        (429, {"errorCode": "500.002.1001", "errorMessage": "System internal error."}),
        (400, {"errorCode": "400.002.02", "ResponseCode": "0"}),
        (400, OPENED | {"errorCode": "400.002.02"}),
        (401, OPENED | {"errorCode": "401.002.01"}),
        (401, {"errorCode": "401.002.01", "ResponseCode": 0}),
        (429, OPENED),
        (503, b"<html>Service Unavailable</html>"),
        (504, b""),
        (403, b"<html>Blocked by the firewall</html>"),
        (400, b""),
        (302, b""),
        (201, OPENED),
        (200, b""),
        (200, b"<html>It works!</html>"),
        (200, b'{"ResponseCode": "0", "Convers'),
        (200, b"[]"),
        (200, b"\xff\xfe"),
        (200, {}),
        (200, {k: v for k, v in OPENED.items() if k != "ConversationID"}),
        (200, {k: v for k, v in OPENED.items() if k != "ResponseCode"}),
        (200, OPENED | {"ConversationID": None}),
        (200, OPENED | {"ConversationID": "w" * 65}),
        (200, OPENED | {"ResponseCode": False}),
        (200, OPENED | {"ResponseCode": "1"}),
        (200, OPENED | {"errorCode": "500.001.1001"}),
    ],
)
def test_an_answer_that_is_not_clear_is_unknown_and_is_not_resent(
    daraja, gateway, name, status, body
):
    gateway.on(CALLS[name][0], replies(status, body))

    with pytest.raises(DarajaUnknown) as unknown:
        call(daraja, name)

    assert not isinstance(unknown.value, DarajaDuplicate)
    assert len(gateway.heard_on(CALLS[name][0])) == 1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "misfortune", [stays_silent, resets, hangs_up, stops_half_way, writes(b"\0\r\n")]
)
def test_an_answer_that_is_lost_is_unknown_and_the_request_is_sent_once(
    client_for, gateway, name, misfortune
):
    gateway.on(CALLS[name][0], misfortune)

    with pytest.raises(DarajaUnknown):
        call(client_for(misfortune), name)

    wait_until(lambda: gateway.heard_on(CALLS[name][0]))
    assert len(gateway.heard_on(CALLS[name][0])) == 1


@pytest.mark.parametrize("name", CALLS)
def test_a_gateway_that_cannot_be_reached_is_a_refusal(make_client, tokens, name):
    tokens.set("token-0", 3000)

    with pytest.raises(DarajaRefused) as refused:
        call(make_client("http://127.0.0.1:1"), name)

    assert refused.value.kind == DarajaRefusal.UNREACHABLE


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("status", "code"), [(404, "404.001.03"), (400, "400.003.01"), (401, "401.002.01")]
)
def test_a_request_with_an_old_token_is_sent_again_with_a_new_one(
    daraja, gateway, name, status, code
):
    path = CALLS[name][0]
    gateway.on(path, error(status, code, "Invalid Access Token"), replies(200, OPENED))

    call(daraja, name)

    first, second = gateway.heard_on(path)
    assert first.body == second.body
    assert first.headers["Authorization"] != second.headers["Authorization"]


@pytest.mark.parametrize("name", ["reversal", *QUESTIONS])
def test_an_answer_without_the_id_it_will_be_told_under_is_unknown(daraja, gateway, name):
    gateway.on(CALLS[name][0], replies(200, OPENED | {"OriginatorConversationID": None}))

    with pytest.raises(DarajaUnknown):
        call(daraja, name)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (
            500,
            {
                "errorCode": "500.002.1001",
                "errorMessage": "Duplicate OriginatorConversationID.",
            },
        ),
        (400, {"errorCode": "400.002.02", "errorMessage": "DUPLICATE originatorConversationId"}),
        (200, {"errorCode": "500.002.1001", "errorMessage": "Duplicate OriginatorConversationID."}),
        (200, {"ResponseCode": "15", "ResponseDescription": "Duplicate Detected."}),
        (200, {"ResponseCode": 15}),
        (200, {"ResponseCode": "1", "ResponseDescription": "Duplicate OriginatorConversationID"}),
    ],
)
def test_a_payout_asked_for_before_is_a_duplicate_and_no_refusal(daraja, gateway, status, body):
    gateway.on(PAY, replies(status, body))

    with pytest.raises(DarajaDuplicate) as duplicate:
        daraja.b2c_payment(**A_PAYOUT)

    assert isinstance(duplicate.value, DarajaUnknown)
    assert len(gateway.heard_on(PAY)) == 1


@pytest.mark.parametrize(
    ("name", "code"), [("b2c_payment", "2040"), ("b2c_payment", 1), ("reversal", "R000001")]
)
def test_a_known_failure_inside_a_200_is_a_refusal(daraja, gateway, name, code):
    rejected = {"ResponseCode": code, "ResponseDescription": "Rejected"}
    gateway.on(CALLS[name][0], replies(200, rejected))

    with pytest.raises(DarajaRefused) as refused:
        call(daraja, name)

    assert (refused.value.code, refused.value.message) == (str(code), "Rejected")
    assert refused.value.kind == DarajaRefusal.OTHER


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize("code", ["17", "26", "9999", "E3008"])
def test_any_other_response_code_inside_a_200_is_unknown_where_money_moves(
    daraja, gateway, name, code
):
    gateway.on(CALLS[name][0], replies(200, {"ResponseCode": code}))

    with pytest.raises(DarajaUnknown):
        call(daraja, name)


@pytest.mark.parametrize("name", QUESTIONS)
def test_any_response_code_inside_a_200_is_a_refusal_of_a_question(daraja, gateway, name):
    gateway.on(CALLS[name][0], replies(200, {"ResponseCode": "17"}))

    with pytest.raises(DarajaRefused) as refused:
        call(daraja, name)

    assert (refused.value.code, refused.value.kind) == ("17", DarajaRefusal.OTHER)
