"""The buyer's code proves that goods were handed over, and cannot be found by trying."""

from collections import Counter

import pytest

from orders.models import OrderTrack
from tests.conftest import signed_in
from tests.threads import at_once

from .lines import line_at, move, steps, with_role

LOCKED = {
    "code": [
        "Too many wrong codes were entered. The buyer or the shop must confirm delivery instead."
    ]
}
TRY_AGAIN = "This is not the buyer's code. Check it and try again. "
#: What is said of each of five wrong codes.
WRONG = [
    *[{"code": [f"{TRY_AGAIN}{left} tries are left."]} for left in (4, 3, 2)],
    {"code": [f"{TRY_AGAIN}One try is left."]},
    {
        "code": [
            "This is not the buyer's code, and no try is left. The buyer or the shop must confirm "
            "delivery instead."
        ]
    },
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(buyer, kettle, monkeypatch):
    """On the road, and its buyer was given 123456."""
    with monkeypatch.context() as patch:
        patch.setattr("secrets.randbelow", lambda most: 123456)
        return line_at("shipping", buyer=buyer, product=kettle)


def misses(line):
    return OrderTrack.objects.values_list("code_misses", flat=True).get(pk=line.pk)


@pytest.mark.parametrize("who", ["agent", "seller"])
def test_the_right_code_delivers(line, agent, seller, who):
    answer = move({"agent": agent, "seller": seller}[who], line, "delivered", code="123456")

    assert (answer.status_code, steps(line)[-1], misses(line)) == (200, "delivered", 0)


def test_a_wrong_code_is_counted_and_moves_nothing(line, agent):
    answer = move(agent, line, "delivered", code="654321")

    assert (answer.status_code, answer.json()) == (400, WRONG[0])
    assert (steps(line)[-1], misses(line)) == ("shipping", 1)


def test_after_four_wrong_ones_the_right_one_counts(line, agent):
    for wrong in range(4):
        move(agent, line, "delivered", code=f"{wrong:06}")

    assert move(agent, line, "delivered", code="123456").status_code == 200


def test_after_five_wrong_ones_not_even_the_right_one_counts(line, agent, seller):
    for wrong in range(5):
        assert move(agent, line, "delivered", code=f"{wrong:06}").json() == WRONG[wrong]

    answers = [move(who, line, "delivered", code="123456") for who in (agent, seller)]

    assert [(a.status_code, a.json()) for a in answers] == [(400, LOCKED)] * 2
    assert (steps(line)[-1], misses(line)) == ("shipping", 5)


def test_a_wrong_code_is_answered_in_swahili(line, agent):
    said = [
        signed_in(agent)
        .post(
            f"/track/{line.pk}/move/",
            {"to": "delivered", "code": f"{wrong:06}"},
            HTTP_ACCEPT_LANGUAGE="sw",
        )
        .json()["code"][0]
        for wrong in range(5)
    ]

    again = "Hii si nambari aliyopewa mnunuzi. Iangalie, kisha ujaribu tena."
    assert said == [
        f"{again} Majaribio 4 yamebaki.",
        f"{again} Majaribio 3 yamebaki.",
        f"{again} Majaribio 2 yamebaki.",
        f"{again} Jaribio moja limebaki.",
        "Hii si nambari aliyopewa mnunuzi, na majaribio yameisha. Mnunuzi au duka linaweza "
        "kuthibitisha.",
    ]


def test_the_last_wrong_code_has_the_code_of_a_used_up_one(line, agent):
    OrderTrack.objects.update(code_misses=4)

    answer = signed_in(agent).post(
        f"/track/{line.pk}/move/",
        {"to": "delivered", "code": "654321"},
        HTTP_PREFER="error-codes",
    )

    assert answer.json()["codes"] == {"code": ["code_used_up"]}


def test_once_locked_the_buyer_and_the_staff_can_still_confirm(line, buyer):
    OrderTrack.objects.update(code_misses=5)
    other = line_at("shipping", buyer=buyer, product=line.product)
    OrderTrack.objects.update(code_misses=5)

    answers = [
        move(buyer, line, "delivered"),
        move(with_role("support"), other, "delivered", note="The buyer called."),
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_staff_who_type_a_wrong_code_are_told(line):
    answer = move(with_role("support"), line, "delivered", code="654321", note="I am sure.")

    assert (answer.status_code, answer.json()) == (400, WRONG[0])


@pytest.mark.parametrize(
    "typed",
    [
        "１２３４５６",
        "\u2068123456\u2069",
        "123 456",
        "123\u00a0456",
        "123–456",
        "١٢٣٤٥٦",
        "123\u200b456",
    ],
)
def test_a_code_is_read_as_it_was_pasted(line, agent, typed):
    answer = move(agent, line, "delivered", code=typed)

    assert (answer.status_code, steps(line)[-1], misses(line)) == (200, "delivered", 0)


@pytest.mark.parametrize("here", ["paid", "delivered", "cancelled"])
def test_a_code_cannot_be_tried_where_it_decides_nothing(buyer, seller, kettle, here):
    line = line_at(here, buyer=buyer, product=kettle)

    right = move(seller, line, "delivered", code=line.collection_code)
    wrong = move(
        seller, line, "delivered", code=str(10**6 - 1 - int(line.collection_code)).zfill(6)
    )

    assert right.status_code == wrong.status_code
    assert right.json() == wrong.json()
    assert misses(line) == 0


@pytest.mark.parametrize("to", ["fetched", "cancelled"])
def test_a_code_is_for_delivery_alone(line, agent, to):
    move(agent, line, to, code="654321", note="?")

    assert misses(line) == 0


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "12345a", "１２３４５", " 123456\n7", None, [], {}, 1e99]
)
def test_input_that_is_not_a_code_is_refused_and_not_counted(line, agent, code):
    answer = move(agent, line, "delivered", code=code)

    assert (answer.status_code, list(answer.json()), misses(line)) == (400, ["code"], 0)


def test_codes_are_as_many_as_the_lines(buyer, kettle):
    lines = [line_at("paid", buyer=buyer, product=kettle) for _ in range(3)]

    codes = {line.collection_code for line in lines}

    assert len(codes) == 3
    assert all(len(code) == 6 and code.isdigit() for code in codes)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_five_are_looked_at(line, agent):
    answers = at_once(
        *[lambda n=n: move(agent, line, "delivered", code=f"{n:06}") for n in range(12)]
    )

    said = Counter(answer.json() == LOCKED for answer in answers)
    assert said == {False: 5, True: 7}
    assert misses(line) == 5
