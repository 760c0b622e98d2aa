"""Issuing and refusing access tokens."""

import re

import pytest

from .caller import error_of


def test_a_token_has_28_characters_and_its_seconds_are_text(daraja):
    answer = daraja.oauth()

    assert answer.status_code == 200
    assert re.fullmatch(r"[A-Za-z0-9]{28}", answer.json()["access_token"])
    assert answer.json()["expires_in"] == "3599"


@pytest.mark.parametrize("auth", [None, ("simulator-key", "wrong"), ("", "")])
def test_wrong_keys_are_refused(daraja, auth):
    assert error_of(daraja.oauth(auth=auth)) == (
        400,
        "400.008.01",
        "Invalid Authentication passed",
    )


def test_another_grant_type_is_refused(daraja):
    assert error_of(daraja.oauth(grant="password")) == (
        400,
        "400.008.02",
        "Invalid grant type passed",
    )


def test_a_token_nobody_issued_is_refused(daraja):
    answer = daraja.post(
        "/mpesa/stkpush/v1/processrequest", {}, headers={"Authorization": "Bearer made-up"}
    )

    assert error_of(answer) == (404, "404.001.03", "Invalid Access Token")


def test_a_call_without_a_bearer_token_is_refused(daraja):
    answer = daraja.post(
        "/mpesa/stkpush/v1/processrequest", {}, headers={"Authorization": "Basic abc"}
    )

    assert error_of(answer) == (404, "404.001.04", "Invalid Authentication Header")


def test_a_token_expires(daraja):
    assert daraja.push().status_code == 200

    daraja.simulator.advance(3600)

    assert error_of(daraja.push())[1] == "404.001.03"


def test_older_tokens_stay_good_by_default(daraja):
    assert daraja.token
    daraja.oauth()

    assert daraja.push().status_code == 200


def test_a_new_token_can_end_the_older_one(daraja_with):
    daraja = daraja_with(newest_token_only=True)
    assert daraja.token
    daraja.oauth()

    assert error_of(daraja.push())[1] == "404.001.03"


def test_revoked_tokens_are_refused(daraja):
    assert daraja.token
    daraja.simulator.revoke_tokens()

    assert error_of(daraja.push())[1] == "404.001.03"


def test_a_script_can_end_every_token_in_the_middle_of_work(daraja):
    daraja.simulator.script(invalidate_token=True)

    assert error_of(daraja.push())[1] == "404.001.03"
    assert error_of(daraja.push())[1] == "404.001.03"
    assert daraja.simulator.prompts() == []


def test_a_script_can_refuse_a_token_with_an_empty_body(daraja):
    daraja.simulator.script(operation="oauth", refuse="empty")

    answer = daraja.oauth()

    assert (answer.status_code, answer.content) == (400, b"")
    assert daraja.oauth().status_code == 200
