"""The control API over HTTP, and its protection from other web sites."""

import pytest
import requests

from .caller import PHONE
from .waiting import PATIENCE


class Plane:
    def __init__(self, simulator):
        self.url = simulator.url + "/control/"

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=PATIENCE, **options)

    def post(self, path, fields=None, **options):
        return requests.post(self.url + path, json=fields or {}, timeout=PATIENCE, **options)


@pytest.fixture
def person(daraja_with):
    return daraja_with(default="person")


@pytest.fixture
def control(person):
    return Plane(person.simulator)


def test_about_describes_the_simulator(control):
    about = control.get("about").json()

    assert about["merchant_name"] == "O-MACHE"
    assert (about["shortcode"], about["till"], about["pin"]) == ("174379", "600111", "1234")
    assert about["magic"] == {
        "0001": "1",
        "1032": "1032",
        "1037": "1037",
        "2001": "2001",
        "9000": "0",
        "9002": "0",
    }
    assert about["now"].endswith("+03:00")


def test_a_script_is_added_and_listed(control, person, shop):
    answer = control.post("scripts", {"phone": "0712345678", "outcome": "1032", "callbacks": 2})

    assert answer.json() == {
        "scripts": [
            {
                "operation": "stk_push",
                "phone": PHONE,
                "amount": None,
                "times": None,
                "outcome": "1032",
                "callbacks": 2,
            }
        ]
    }
    person.pay()
    assert [r["ResultCode"] for r in shop.results] == [1032, 1032]


def test_an_invalid_script_is_a_400_with_a_message(control):
    answer = control.post("scripts", {"outcome": "sucess"})

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("outcome must be one of success")


def test_a_prompt_is_paid_through_the_control_api(control, person):
    person.push()
    [phone] = control.get("phones").json()["phones"]
    prompt = control.get(f"phones/{PHONE}").json()["prompt"]

    fields = {"pin": "1234", "checkout_request_id": prompt["checkout_request_id"]}
    ended = control.post(f"phones/{PHONE}/pin", fields).json()

    assert phone["rings"]
    assert ended["state"] == "paid"
    assert control.get("books").json()["entries"][0]["receipt"] == ended["receipt"]


def test_a_prompt_is_cancelled_through_the_control_api(control, person):
    person.push()

    assert control.post(f"phones/{PHONE}/cancel").json()["result_code"] == "1032"
    assert control.post(f"phones/{PHONE}/cancel").status_code == 409


def test_a_wallet_is_set_through_the_control_api(control):
    assert control.post(f"phones/{PHONE}/wallet", {"amount": 7}).json()["balance"] == 7
    assert control.post(f"phones/{PHONE}/wallet", {"amount": -7}).status_code == 400
    assert control.post(f"phones/{PHONE}/wallet", {"amount": "7"}).status_code == 400
    assert control.post(f"phones/{PHONE}/wallet").status_code == 400


def test_the_clock_moves_only_forward(control, person):
    person.push()

    assert control.post("clock", {"advance": 61}).json() == {"done": True}
    assert control.get("quiet?timeout=60").json() == {"quiet": True}
    assert control.get("prompts").json()["prompts"][0]["result_code"] == "1037"
    assert control.post("clock", {"advance": -1}).status_code == 400
    assert control.post("clock", {"advance": 1e300}).status_code == 400
    assert control.post("clock", {}).status_code == 400


def test_events_are_numbered_and_can_be_read_from_a_number_on(control, person):
    person.push()
    events = control.get("events").json()["events"]

    assert [event["kind"] for event in events] == ["token_issued", "push_accepted"]
    assert control.get(f"events?after={events[0]['n']}").json()["events"] == events[1:]
    assert control.get("events?kind=push_accepted").json()["events"] == events[1:]
    assert control.get("events?after=x").status_code == 400


def test_a_reset_silences_every_phone(control, person, shop):
    person.push()

    assert control.post("reset").json() == {"done": True}
    assert control.get("phones").json() == {"phones": []}
    person.simulator.advance(61)
    assert person.simulator.wait_until_quiet()
    assert shop.heard == []


def test_tokens_are_revoked_through_the_control_api(control, person):
    assert person.token
    control.post("tokens/revoke")

    assert person.push().status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("GET", "", 404),
        ("GET", "reset", 405),
        ("POST", "books", 405),
        ("DELETE", "books", 405),
        ("GET", "phones/12", 400),
        ("GET", "phones/%2e%2e", 400),
        ("GET", "quiet?timeout=-1", 400),
    ],
)
def test_unknown_endpoints_are_refused_with_a_message(control, method, path, status):
    answer = requests.request(method, control.url + path, json={}, timeout=PATIENCE)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("body", ["{", "[]", "3", '{"a": NaN}', "[" * 50_000])
def test_a_body_that_is_no_json_object_is_refused(control, body):
    headers = {"Content-Type": "application/json"}
    answer = requests.post(control.url + "scripts", data=body, headers=headers, timeout=PATIENCE)

    assert answer.status_code == 400


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_web_site_may_not_post(control, person, origin):
    person.push()

    answer = control.post(f"phones/{PHONE}/pin", {"pin": "1234"}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert person.simulator.books()["received"] == 0


def test_the_simulator_s_own_page_may_post(control, person):
    person.push()
    origin = {"Origin": person.simulator.url}

    answer = control.post(f"phones/{PHONE}/pin", {"pin": "1234"}, headers=origin)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_form_may_not_post(control, person, content_type):
    person.push()

    answer = requests.post(
        f"{control.url}phones/{PHONE}/pin",
        data='{"pin": "1234"}',
        headers={"Content-Type": content_type},
        timeout=PATIENCE,
    )

    assert answer.status_code == 415
    assert person.simulator.books()["received"] == 0


@pytest.mark.parametrize("path", ["control/books", ""])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "a b.c"])
def test_a_public_name_for_this_server_may_not_read(person, path, host):
    url = f"{person.simulator.url}/{path}"
    answer = requests.get(url, headers={"Host": host}, timeout=PATIENCE)

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1", "[::1]:8001", "simulator:8001"])
def test_a_private_name_for_this_server_may_read(person, host):
    answer = requests.get(
        f"{person.simulator.url}/control/books", headers={"Host": host}, timeout=PATIENCE
    )

    assert answer.status_code == 200


def test_no_cors_headers_are_sent_to_other_origins(control):
    answer = requests.options(
        control.url + "reset",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
        timeout=PATIENCE,
    )

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_c2b_payment_is_made_through_the_control_api(control, person):
    fields = {"business": "174379", "account": "SOFA22", "amount": 200, "pin": "1234"}

    paid = control.post(f"phones/{PHONE}/pay", fields).json()

    [row] = control.get(f"phones/{PHONE}/statement").json()["rows"]
    assert (paid["result_code"], paid["balance"]) == ("0", 99_800)
    assert (row["receipt"], row["amount"], row["balance"]) == (paid["receipt"], -200, 99_800)
    assert control.post(f"phones/{PHONE}/pay", {**fields, "business": "1"}).status_code == 400
    assert control.post(f"phones/{PHONE}/pay", {**fields, "amount": "200"}).status_code == 400
    assert control.post(f"phones/{PHONE}/pay", {"amount": 200}).status_code == 400
    wrong = control.post(f"phones/{PHONE}/pay", {**fields, "pin": "0000"}).json()
    assert (wrong["result_code"], wrong["receipt"]) == ("2001", None)


def test_accounts_are_set_through_the_control_api(control):
    assert control.post("accounts/600000", {"utility": 7}).json() == {"utility": 7, "working": 0}
    for path, fields in [
        ("accounts/600000", {}),
        ("accounts/600000", {"utility": -1}),
        ("accounts/600000", {"charges": 1}),
        ("accounts/999999", {"utility": 1}),
    ]:
        assert control.post(path, fields).status_code == 400


def test_registered_urls_are_listed_and_deleted_through_the_control_api(control, person):
    person.register()

    [registered] = control.get("c2b").json()["registered"]
    assert (registered["shortcode"], registered["version"]) == ("174379", 2)
    assert control.post("c2b/forget").json() == {"done": True}
    assert control.get("c2b").json() == {"registered": []}


def test_a_credential_from_the_control_api_is_accepted(control, person, shop):
    credential = control.get("credential").json()
    person.pay_out(SecurityCredential=credential["security_credential"])

    [payout] = control.get("conversations").json()["conversations"]
    assert (credential["initiator_name"], credential["locked"]) == ("simulator", False)
    assert (payout["api"], payout["status"], payout["result_code"]) == ("b2c", "Completed", "0")
    assert payout["originator_conversation_id"] == "ours-1"


def test_the_control_api_unlocks_initiators_and_pins_and_deregisters_phones(control, person, shop):
    bad = person.simulator.security_credential("wrong")
    for n in range(3):
        person.pay_out(originator=str(n), SecurityCredential=bad)
    assert control.get("credential").json()["locked"]

    assert control.post("initiator/unlock").json() == {"done": True}
    assert control.post(f"phones/{PHONE}/registered", {"registered": False}).json()["done"]
    assert control.post(f"phones/{PHONE}/registered", {}).status_code == 400
    assert control.post(f"phones/{PHONE}/unlock").json() == {"done": True}
    person.pay_out()
    assert shop.outcomes[-1]["ResultCode"] == 2040
    assert not control.get(f"phones/{PHONE}").json()["registered"]


def test_scripts_are_forgotten_and_nothing_else_is(control, person):
    control.post("scripts", {"phone": "0712345678", "outcome": "1032"})
    control.post("phones/0712345678/wallet", {"amount": 50})
    before = control.get("books").json()

    control.post("scripts/forget")

    assert control.get("scripts").json() == {"scripts": []}
    assert control.get("books").json() == before
