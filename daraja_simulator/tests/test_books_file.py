"""The books survive a restart, and incomplete records do not count."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import requests

from daraja_simulator import Simulator
from daraja_simulator.books_file import BooksFile

from .caller import PHONE
from .waiting import PATIENCE, wait_until

ACCOUNT = "SOFA22"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "books.jsonl"


def opened(file, **more):
    return Simulator(port=None, books_file=str(file), **more)


def trade(simulator):
    simulator.set_account("600000", utility=9000, working=70)
    simulator.set_wallet(PHONE, 5000)
    paid = simulator.pay_by_hand(PHONE, 1500, account=ACCOUNT)
    kept = simulator.pay_by_hand(PHONE, 200, account=ACCOUNT)
    simulator.reverse_for_customer(paid["receipt"])
    return paid["receipt"], kept["receipt"]


def test_a_restart_knows_every_movement_wallet_and_account(file):
    with opened(file) as first:
        trade(first)
        before = first.books(), first.portal_statement("600000"), first.portal_statement("174379")

    with opened(file) as second:
        after = second.books(), second.portal_statement("600000"), second.portal_statement("174379")
        assert after[0] == before[0]
        assert [text.splitlines()[5:] for text in after[1:]] == [
            text.splitlines()[5:] for text in before[1:]
        ]


def test_a_payment_reversed_before_a_restart_is_not_reversed_again(file):
    with opened(file) as first:
        reversed_one, kept = trade(first)

    with opened(file) as second:
        with pytest.raises(ValueError, match="reversed"):
            second.reverse_for_customer(reversed_one)
        second.reverse_for_customer(kept)


def test_a_daily_limit_reaches_over_a_restart(file):
    with opened(file, daily_limit=1000) as first:
        first.pay_by_hand(PHONE, 900, account=ACCOUNT)

    with opened(file, daily_limit=1000) as second:
        assert second.pay_by_hand(PHONE, 200, account=ACCOUNT)["result_code"] != "0"


def test_a_reset_reaches_over_a_restart(file):
    with opened(file) as first:
        trade(first)
        first.reset()

    with opened(file) as second:
        assert second.books()["entries"] == []
        assert second.books()["wallets"] == {}


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_that_was_cut_off_never_counted(file, cut):
    with opened(file) as first:
        trade(first)
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])

    with opened(file) as second:
        assert len(second.books()["entries"]) == 2
        second.pay_by_hand(PHONE, 100, account=ACCOUNT)

    assert all(json.loads(line) for line in file.read_bytes().splitlines())


def test_a_write_that_fails_moves_no_money(file, monkeypatch):
    with opened(file) as simulator:
        simulator.pay_by_hand(PHONE, 100, account=ACCOUNT)
        before, lines = simulator.books(), file.read_bytes()
        monkeypatch.setattr(os, "write", full_after_ten_bytes(os.write))

        with pytest.raises(OSError, match="No space left"):
            simulator.pay_by_hand(PHONE, 100, account=ACCOUNT)

        assert simulator.books() == before
        assert file.read_bytes() == lines


def full_after_ten_bytes(write):
    calls = []

    def full(file, content):
        calls.append(content)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(file, content[:10])

    return full


def test_a_file_with_other_content_is_refused_at_the_start(file):
    file.write_text('{"what": "moved"}\nnotes\n')

    with pytest.raises(ValueError, match="line 2"):
        BooksFile(file)


def test_two_simulators_do_not_share_a_file(file):
    with opened(file), pytest.raises(ValueError, match="another simulator"):
        opened(file)


def test_payments_survive_a_kill(file, tmp_path):
    """Payments with a response are kept when the process is repeatedly killed with -9."""
    answered = []
    for _ in range(3):
        process, url = serve(file)
        payer = threading.Thread(target=pay_until_it_ends, args=(url, answered))
        enough = len(answered) + 3
        payer.start()
        wait_until(lambda enough=enough: len(answered) >= enough)
        process.send_signal(signal.SIGKILL)
        process.wait()
        payer.join()

    with opened(file) as simulator:
        kept = [entry["receipt"] for entry in simulator.books()["entries"]]
    assert set(answered) <= set(kept)
    # At most one payment per kill was recorded without a response.
    assert len(kept) - len(answered) <= 3


def serve(file):
    process = subprocess.Popen(
        [sys.executable, "-m", "daraja_simulator", "--port", "0", "--books", str(file)],
        stdout=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().split()[-1]
    process.stdout.close()
    return process, url


def pay_until_it_ends(url, answered):
    while True:
        body = {"amount": 1, "account": ACCOUNT, "pin": "1234"}
        try:
            paid = requests.post(
                f"{url}/control/phones/{PHONE}/pay", json=body, timeout=PATIENCE
            ).json()
        except (requests.RequestException, ValueError):
            return
        answered.append(paid["receipt"])
