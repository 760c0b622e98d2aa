"""Every sentence that a buyer or seller can meet is there in Swahili, and codes beside them."""

import random
import re

import pytest

from accounts.models import MessagePreferences
from omachemainproj.languages import (
    _values_between,
    fill_template,
    preferred_language,
    read_catalogue,
    translate,
)
from payments.checkout.failures import FAILURES
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.runtime_growth import grows_linearly
from tests.shopping import an_order
from tests.shown_sentences import plain, sentences_in_code

#: Said to nobody who buys or sells: to operators, to staff, of a message in the admin, in notes
#: of the books, and in what describes the API.
NOT_THEIRS = re.compile(
    r"^(SHOP_CONTACT|FRONTEND_URL|Set it to|The order moved on|Its recipient has"
    r"|M-Pesa says \{\} was sent|The seller has the money|Six digits to read"
    r"|Statuses to which|Rows a page|How many more collection codes|The part of "
    r"|Whole KES that go back"
    r"|Where the page starts|The \{\} agreed"
    r"|At least \{\} characters; \{\} for staff|Nothing that others try)"
)


def test_every_sentence_of_the_code_has_its_swahili():
    known = {plain(english) for english in read_catalogue("sw")}

    missing = {
        sentence: where
        for sentence, where in sentences_in_code().items()
        if sentence not in known and not NOT_THEIRS.match(sentence)
    }

    assert missing == {}


def test_the_code_is_read_at_all():
    said = sentences_in_code()

    assert "There is no such product." in said
    assert "Only {} left." in said
    assert len(said) > 150


@pytest.mark.parametrize(("english", "swahili"), read_catalogue("sw").items())
def test_a_translation_has_the_places_of_its_sentence(english, swahili):
    place = re.compile(r"\{\w*\}")

    assert sorted(place.findall(swahili)) == sorted(place.findall(english))
    assert swahili != english
    assert re.search(r"\W$", swahili) or not re.search(r"\W$", english)


def test_every_failure_of_a_prompt_is_said_in_both_languages():
    for failure in FAILURES.values():
        assert failure.sw
        assert failure.sw != failure.en


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("There is no such product.", "Hakuna bidhaa kama hiyo."),
        ("Only 3 left.", "Zimebaki 3 tu."),
        (
            "Only 3 left: your own unpaid order holds 1 (ACDEFGHJ). Pay or cancel first.",
            "Zimebaki 3 tu: oda yako ambayo haijalipwa inashikilia 1 (ACDEFGHJ). Ilipe au ighairi "
            "kwanza.",
        ),
        ('"toys" is not a valid choice.', '"toys" si chaguo lililopo.'),
        ('"a "b"\n{c}" is not a valid choice.', '"a "b"\n{c}" si chaguo lililopo.'),
        ("Only 2 are available; 3 are reserved for unpaid orders.",
         "Zilizo huru ni 2 tu; 3 zimeshikiliwa kwa oda ambazo hazijalipwa."),
        ("Request was throttled. Expected available in 48 seconds.",
         "Maombi ni mengi mno. Jaribu tena baada ya sekunde 48."),
        ("Nobody ever wrote this.", "Nobody ever wrote this."),
        ("", ""),
    ],
)  # fmt: skip
def test_a_sentence_is_found_by_its_english(sentence, said):
    assert translate(sentence, "sw") == said
    assert translate(sentence, "en") == sentence


def test_a_long_text_is_nobodys_sentence():
    typed = '"' + "a" * 100_000 + '" is not a valid choice.'

    assert translate(typed, "sw") == typed


WITH_PLACES = [english for english in read_catalogue("sw") if re.search(r"\{\w*\}", english)]


@pytest.mark.parametrize("english", WITH_PLACES)
def test_a_sentence_of_many_parts_of_a_pattern_is_read_in_linear_time(english):
    texts = re.split(r"\{\w*\}", english)

    def hostile(size):
        return texts[0] + "".join(f"a{text}" * (size // 10) for text in texts[1:]) + "!"

    assert grows_linearly(lambda typed: _values_between(texts, typed), hostile, 100)


@pytest.mark.parametrize("english", WITH_PLACES)
def test_values_are_those_of_the_shortest_match(english):
    texts = re.split(r"\{\w*\}", english)
    pattern = re.compile("(.+?)".join(map(re.escape, texts)), re.DOTALL)
    draw = random.Random(english)
    parts = [*texts, *texts, *(text[: len(text) // 2] for text in texts), "a", " ", "\n"]
    tried = ["".join(draw.choices(parts, k=draw.randint(1, 9))) for _ in range(200)]
    tried += [
        "".join(text + "".join(draw.choices(parts, k=draw.randint(0, 2))) for text in texts)
        for _ in range(200)
    ]

    for sentence in tried[:200] + [one[:60] for one in tried[200:]]:
        found = pattern.fullmatch(sentence)
        assert _values_between(texts, sentence) == (list(found.groups()) if found else None)


def test_a_value_is_translated_to_a_limited_depth():
    nested = '"a" is not a valid choice.'
    for _ in range(4):
        nested = f'"{nested}" is not a valid choice.'

    assert translate(nested, "sw").count("si chaguo lililopo") == 3


def test_values_are_filled_in_where_the_translation_has_them():
    values = {"came": "KES 1,000", "amount": "KES 3,000", "due": "KES 2,000"}

    said = fill_template(
        "We received {came} of {amount}. Pay the remaining {due} before the time runs out.",
        "sw",
        **values,
    )

    assert said == (
        "Zimefika KES 1,000 kati ya KES 3,000. Lipa KES 2,000 zilizobaki kabla muda haujaisha."
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("sw", "sw"),
        ("sw-KE", "sw"),
        ("SW", "sw"),
        ("en-US,en;q=0.9,sw;q=0.8", "en"),
        ("fr,sw;q=0.5,en;q=0.1", "sw"),
        ("fr", None),
        ("*", None),
        ("sw;q=0", None),
        ("swe", None),
        ("", None),
        ("sw;q=x", None),
        (",;,;q=", None),
        ("sw" * 5000, None),
    ],
)
def test_the_header_is_read_as_it_is_sent(header, language):
    assert preferred_language(header) == language


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("get", "/product/999/", None, ("product_not_found", "Hakuna bidhaa kama hiyo.")),
        ("get", "/nowhere/", None, ("not_found", "Hakuna kitu kwenye anwani hii.")),
        ("get", "/orders/", None, ("not_authenticated", "Ingia kwenye akaunti yako kwanza.")),
        ("delete", "/cart/", None, ("method_not_allowed", 'Njia "DELETE" hairuhusiwi.')),
    ],
)  # fmt: skip
def test_an_error_is_said_in_swahili_with_the_same_code(api, method, path, body, answer):
    response = getattr(api, method)(path, body, format="json", headers={"Accept-Language": "sw"})

    code, detail = answer
    assert response.json() == {"detail": detail, "code": code}
    assert response["Content-Language"] == "sw"
    assert "Accept-Language" in response["Vary"]


def sold_out(api, kettle, **headers):
    body = {"order": [{"product": kettle.pk, "number": 9}], "mpesa_number": "0712345678"}
    return api.post("/cashout/", body, format="json", headers=headers)


def test_a_shortage_is_said_on_its_line(buyer_api, kettle):
    answer = sold_out(buyer_api, kettle, **{"Accept-Language": "sw"})

    assert answer.json() == {"order": [{"number": ["Zimebaki 5 tu."]}]}


def test_the_accounts_language_counts_where_no_header_names_one(buyer, buyer_api, kettle):
    MessagePreferences.objects.create(user=buyer, language="sw")

    assert sold_out(buyer_api, kettle).json() == {"order": [{"number": ["Zimebaki 5 tu."]}]}
    english = sold_out(buyer_api, kettle, **{"Accept-Language": "en"})
    assert english.json() == {"order": [{"number": ["Only 5 left."]}]}


def test_a_person_who_chose_no_language_is_told_in_english(buyer_api, kettle):
    assert sold_out(buyer_api, kettle).json() == {"order": [{"number": ["Only 5 left."]}]}


@pytest.mark.django_db
def test_the_language_of_an_account_costs_no_statement(django_assert_num_queries):
    person = UserFactory()
    MessagePreferences.objects.create(user=person, language="sw")
    api = signed_in(person)
    api.get("/track/order/999/")

    # caller with their language; the line
    with django_assert_num_queries(2):
        assert (
            api.get("/track/order/999/").json()["detail"] == "Hakuna bidhaa kama hiyo kwenye oda."
        )


def test_codes_stand_beside_the_errors_of_fields_for_who_prefers_them(buyer_api, kettle):
    answer = sold_out(buyer_api, kettle, Prefer="error-codes")

    assert answer.json() == {
        "order": [{"number": ["Only 5 left."]}],
        "codes": {"order": [{"number": ["shortage"]}]},
    }
    assert answer["Preference-Applied"] == "error-codes"
    assert "codes" not in sold_out(buyer_api, kettle).json()


def test_codes_of_input_that_cannot_be_read_are_drfs_own(buyer_api):
    headers = {"Prefer": "respond-async, Error-Codes", "Accept-Language": "sw"}

    answer = buyer_api.post("/cashout/", {"order": []}, format="json", headers=headers).json()

    assert answer == {
        "order": {"non_field_errors": ["Orodha hii haiwezi kuwa tupu."]},
        "mpesa_number": ["Sehemu hii inahitajika."],
        "codes": {"order": {"non_field_errors": ["empty"]}, "mpesa_number": ["required"]},
    }


def test_the_code_and_the_token_of_a_refusal_are_not_translated(buyer, buyer_api, kettle):

    own = an_order(buyer, (kettle, 5))

    answer = sold_out(buyer_api, kettle, **{"Accept-Language": "sw"}).json()

    assert (answer["code"], answer["order_token"]) == ("held_by_your_order", str(own.order_token))
    assert answer["order"][0]["number"][0].startswith("Zimekwisha: oda yako")


def test_a_quote_is_made_in_swahili(buyer_api, kettle):
    body = {"order": [{"product": kettle.pk, "number": 9}]}

    quoted = buyer_api.post(
        "/cart/quote/", body, format="json", headers={"Accept-Language": "sw"}
    ).json()

    assert quoted["lines"][0]["problem"]["message"] == "Zimebaki 5 tu."
