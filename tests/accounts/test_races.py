"""Two newcomers, one name: one joins, the other is told, and nobody sees a 500."""

import pytest
from rest_framework.test import APIClient

from accounts import services, tokens
from accounts.emails import make_key
from accounts.models import USERNAME_TAKEN, User
from omachemainproj.api.errors import FieldRefusal
from tests.conftest import signed_in
from tests.factories import UserFactory
from tests.threads import at_once

from .conftest import refresh

SECRET = "a long enough secret"


def join(**fields):
    body = {"password1": SECRET, "password2": SECRET, **fields}
    return lambda: APIClient().post("/registration/", body)


@pytest.mark.django_db(transaction=True)
def test_one_of_twelve_concurrent_registrations_of_a_name_succeeds():
    names = ["Amina", "amina", "AMINA"] * 4

    answers = at_once(*[join(username=name) for name in names])

    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 11
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert refusals == [{"username": [USERNAME_TAKEN]}] * 11
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_registrations_of_lookalike_names_succeeds():
    answers = at_once(join(username="amina"), join(username="arnina"))

    assert sorted(answer.status_code for answer in answers) == [201, 400]
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_eight_concurrent_confirmations_of_an_email_succeeds():
    people = [UserFactory(email="amina@example.com") for _ in range(8)]
    keys = [make_key(person) for person in people]

    answers = at_once(
        *[
            lambda key=key: APIClient().post("/registration/verify-email/", {"key": key})
            for key in keys
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert User.objects.filter(email_confirmed_at__isnull=False).count() == 1


@pytest.mark.django_db
def test_a_name_taken_after_it_was_looked_up_is_refused_by_the_database(amina):
    with pytest.raises(FieldRefusal) as refused:
        services.register(username="AMINA", email="", password=SECRET)

    assert refused.value.errors == {"username": [USERNAME_TAKEN]}


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_changes_to_a_name_succeeds():
    first, second = signed_in(UserFactory()), signed_in(UserFactory())

    answers = at_once(
        lambda: first.patch("/user/", {"username": "amina"}),
        lambda: second.patch("/user/", {"username": "AMINA"}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 400]
    refused = next(answer for answer in answers if answer.status_code == 400)
    assert refused.json() == {"username": [USERNAME_TAKEN]}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_is_given_out_while_everything_is_being_ended():
    for _ in range(5):
        user = UserFactory()
        pairs = [str(tokens.issue(user).refresh) for _ in range(4)]

        answers = at_once(
            lambda user=user: tokens.revoke_all(user.pk),
            *[lambda token=token: refresh(token) for token in pairs],
        )

        successors = [
            answer.json()["refresh"] for answer in answers[1:] if answer.status_code == 200
        ]
        # One given out before the end was ended with the rest; one after it cannot be.
        assert {refresh(token).status_code for token in successors} <= {401}
        assert {refresh(token).status_code for token in pairs} == {401}
