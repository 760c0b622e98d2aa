"""Answers that are no errors say what they say in the language of who asks, and which it is."""

import json

import pytest

from omachemainproj.api.handlers import answer_busy, server_error
from orders.models import TrackEvent
from payments.models import Payout
from payments.payouts.allocation import create_payouts
from tests.conftest import signed_in
from tests.factories import PASSWORD, UserFactory
from tests.shopping import an_order, fetched_line, paid_line

SWAHILI = {"Accept-Language": "sw"}
NEW = "ugali saba na sukuma"


@pytest.fixture
def juma(db):
    return UserFactory(username="juma", email="juma@example.com")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (
            "/password/change/",
            {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
            "Nenosiri jipya limehifadhiwa.",
        ),
        ("/account/sessions/end-all/", {}, "Umetoka kwenye vifaa vyote."),
        (
            "/password/reset/",
            {"email": "juma@example.com"},
            "Barua pepe ya kubadilisha nenosiri imetumwa.",
        ),
        (
            "/login/phone/",
            {"phone": "0712345678"},
            "Kama simu hii inapokea SMS, nambari iko njiani.",
        ),
        (
            "/account/delete/",
            {"password": PASSWORD},
            "Akaunti yako imefutwa.",
        ),
    ],
)
def test_success_messages_are_in_swahili(juma, path, body, said):
    answer = signed_in(juma).post(path, body, format="json", headers=SWAHILI)

    assert (answer.status_code, answer.json()["detail"]) == (200, said)
    assert answer["Content-Language"] == "sw"
    assert "Accept-Language" in answer["Vary"]


def test_a_sheets_report_is_told_in_swahili(seller_api):
    sheet = "name,category,price,item_number,payment_mpesa_number,restock\r\nKettle,toys,1,1,07,2"

    answer = seller_api.generic(
        "POST",
        "/seller/products/import/?check=true",
        sheet.encode(),
        content_type="text/csv",
        headers=SWAHILI,
    )

    (row,) = answer.json()["rows"]
    assert row["errors"]["payment_mpesa_number"] == [
        "Weka nambari ya simu ya Kenya, kama 0712345678."
    ]
    assert row["errors"]["category"][0].startswith("“toys” si mojawapo ya: ")
    assert answer["Content-Language"] == "sw"


def test_a_sheet_that_cannot_be_read_is_refused_in_swahili(seller_api):
    answer = seller_api.generic(
        "POST",
        "/seller/products/import/",
        b"name,prize\r\n",
        content_type="text/csv",
        headers=SWAHILI,
    )

    assert answer.json()["file"][0].startswith("Hakuna safu 'prize'. Zilizopo ni: ")


def test_the_shops_own_note_on_a_line_is_read_in_swahili_and_a_persons_as_it_is(
    buyer, buyer_api, kettle
):
    line = paid_line(buyer, kettle)
    TrackEvent.objects.create(
        track=line, track_status="delivered", note="No word from the buyer for 7 days."
    )
    TrackEvent.objects.create(track=line, track_status="delivered", note="Left with Njeri.")

    answer = buyer_api.get(f"/track/order/{line.pk}/", headers=SWAHILI)

    notes = [step["note"] for step in answer.json()["history"] if step["note"]]
    assert notes == ["Mnunuzi hajasema lolote kwa siku 7.", "Left with Njeri."]


def test_why_a_payout_waits_is_said_in_swahili(seller_api, buyer, kettle):
    line = fetched_line(buyer, kettle)
    create_payouts(line.seller_id)
    Payout.objects.update(note="One of its order items was cancelled.")

    answer = seller_api.get("/seller/payouts/", headers=SWAHILI)

    assert {row["reason"] for row in answer.json()} == {"Bidhaa iliyolipiwa nayo imeghairiwa."}
    assert answer["Content-Language"] == "sw"


@pytest.mark.parametrize("language", ["en", "sw"])
def test_an_order_says_in_which_language_its_prompt_is_told(buyer, buyer_api, kettle, language):
    order = an_order(buyer, (kettle, 1))

    answer = buyer_api.get(f"/cashout/{order.order_token}/", headers={"Accept-Language": language})

    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (server_error, "Kuna hitilafu upande wetu. Tumeiandika ili ishughulikiwe."),
        (answer_busy, "Duka lina shughuli nyingi. Tafadhali jaribu tena baada ya muda mfupi."),
    ],
)
def test_server_errors_are_in_swahili(rf, answer, said):
    response = answer(rf.get("/", headers=SWAHILI))

    assert json.loads(response.content)["detail"] == said
    assert response["Content-Language"] == "sw"


@pytest.mark.django_db
def test_a_code_is_sent_in_the_language_liked_best(api, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "accounts.phone_codes.send_code", lambda *_, language, **__: sent.append(language) or "t"
    )

    for liked in ("en,sw;q=0.5", "fr,sw;q=0.5", "swe"):
        api.post(
            "/login/phone/",
            {"phone": "0712345678"},
            format="json",
            headers={"Accept-Language": liked},
        )

    assert sent == ["en", "sw", "en"]
