"""How passwords are kept in a real shop: by Argon2, and upgraded to it."""

from threading import Event, Thread

import pytest
from django.contrib.auth.hashers import make_password

from accounts.hashers import Argon2, BoundedExecutor
from accounts.models import User
from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj import settings as real
from omachemainproj.api.errors import Busy
from tests.factories import PASSWORD, UserFactory

from .conftest import log_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.PASSWORD_HASHERS = real.PASSWORD_HASHERS


def test_a_newcomers_password_is_kept_by_argon2(api):
    api.post("/registration/", {"username": "amina", "password1": PASSWORD, "password2": PASSWORD})

    kept = User.objects.get().password
    assert kept.startswith("argon2$argon2id$")
    assert PASSWORD not in kept


def test_a_password_kept_otherwise_is_upgraded_when_it_is_used(api):
    user = UserFactory(username="amina")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))

    response = log_in(api, "amina")

    access = response.json()["access"]
    assert User.objects.get().password.startswith("argon2$")
    assert api.get("/user/", HTTP_AUTHORIZATION=f"Bearer {access}").status_code == 200


def test_the_parameters_are_owasps():
    kept = User(username="amina")
    kept.set_password(PASSWORD)

    assert "$m=19456,t=2,p=1$" in kept.password


def test_a_hash_of_djangos_hundred_megabytes_is_upgraded_at_log_in(api, monkeypatch):
    user = UserFactory(username="amina")
    monkeypatch.setattr(Argon2, "memory_cost", 1024)
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    monkeypatch.undo()

    log_in(api, "amina")

    assert "$m=19456,t=2,p=1$" in User.objects.get().password


def test_beyond_the_queue_nobody_waits_and_the_answer_says_when_to_come_back(api, monkeypatch):
    room = BoundedExecutor(at_once=1, waiting=0, patience=PATIENCE)
    monkeypatch.setattr("accounts.hashers.room", room)
    begun, done = Event(), Event()
    holder = Thread(target=room.run, args=(lambda: (begun.set(), done.wait(PATIENCE)),))
    holder.start()
    assert begun.wait(PATIENCE)

    answer = log_in(api, "nobody")

    done.set()
    holder.join()
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer["Retry-After"] == "2"


def test_a_request_that_waits_too_long_gives_up_and_frees_its_place(monkeypatch):
    room = BoundedExecutor(at_once=1, waiting=1, patience=PATIENCE)
    begun, done = Event(), Event()
    holder = Thread(target=room.run, args=(lambda: (begun.set(), done.wait(PATIENCE)),))
    holder.start()
    assert begun.wait(PATIENCE)

    with monkeypatch.context() as patch:
        patch.setattr(room, "_patience", 0.01)
        with pytest.raises(Busy):
            room.run(lambda: "hashed")

    done.set()
    holder.join()
    assert room.run(lambda: "hashed") == "hashed"
