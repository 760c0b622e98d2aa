"""The e-mails of a shop as a page: read from its files, links to click, nothing that runs."""

import os

import pytest

from daraja_simulator import Simulator, mails
from daraja_simulator.wire import Request

DASHES = "-" * 79
MAIL = """Content-Type: text/plain; charset="utf-8"
MIME-Version: 1.0
Content-Transfer-Encoding: 8bit
Subject: Karibu <b>sana</b>
From: O-Mache <hello@omache.example>
To: amina@omache.example

Habari! Confirm it: http://127.0.0.1:8000/shop/confirm?key=a&b=c.
<script>alert(1)</script>
"""


@pytest.fixture
def page(tmp_path):
    (tmp_path / "one.log").write_text(f"{MAIL}\n{DASHES}\n")

    def ask(folder=tmp_path, **more):
        request = {"method": "GET", "path": "/mails/", "query": {}, "body": b""}
        headers = {"host": "127.0.0.1:8001"}
        with Simulator(port=None, mails=folder and str(folder)) as simulator:
            return simulator.answer(Request(**{**request, "headers": headers, **more}))

    return ask


def test_a_mail_is_shown_with_its_link_to_click(page):
    shown = page().body.decode()

    link = "http://127.0.0.1:8000/shop/confirm?key=a&amp;b=c"
    assert f'<a href="{link}" target="_blank" rel="noopener">{link}</a>.' in shown
    assert "To amina@omache.example" in shown


def test_html_in_an_email_is_escaped(page):
    answer = page()

    assert "<script>" not in answer.body.decode()
    assert "Karibu &lt;b&gt;sana" in answer.body.decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_newest_comes_first_of_files_and_in_a_file(tmp_path):
    for age, name in ((20, "old"), (10, "new")):
        two = "\n".join(MAIL.replace("Karibu <b>sana</b>", f"{name} {n}") + DASHES for n in (1, 2))
        (tmp_path / name).write_text(two)
        os.utime(tmp_path / name, (1_700_000_000 - age,) * 2)

    assert [each.subject for each in mails.read(tmp_path)] == ["new 2", "new 1", "old 2", "old 1"]


@pytest.mark.parametrize(
    ("folder", "said"), [(None, "--mails FOLDER"), ("/nowhere", "No e-mails yet.")]
)
def test_an_empty_or_missing_folder_is_explained(page, folder, said):
    assert said in page(folder=folder).body.decode()


def test_a_foreign_host_name_is_refused(page):
    assert page(headers={"host": "evil.example"}).status == 403


def test_only_get_is_allowed(page):
    assert page(method="POST", headers={"host": "127.0.0.1"}).status in {405, 415}
