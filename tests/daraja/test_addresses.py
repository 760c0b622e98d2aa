"""The callback URLs that Safaricom accepts."""

import pytest

from payments.daraja.client import check_callback_url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.o-mache.co.ke/safwebhook/0123456789abcdef/",
        "https://shop.co.ke",
        "https://shop.co.ke:8443/hook/",
        "https://8.8.8.8/hook/",
        "https://[2606:4700::1111]/hook/",
        "https://xn--bcher-kva.co.ke/hook/?a=1",
    ],
)
def test_a_public_https_address_is_taken(url):
    assert check_callback_url(url) is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://shop.co.ke/hook/", "must begin with https://"),
        ("ftp://shop.co.ke/hook/", "must begin with https://"),
        ("shop.co.ke/hook/", "must begin with https://"),
        ("", "must be written in ASCII, without spaces"),
        ("https://shop.co.ke/a b/", "must be written in ASCII, without spaces"),
        ("https://shop.co.ke/hook/\n", "must be written in ASCII, without spaces"),
        ("https://shop.co.ke/é/", "must be written in ASCII, without spaces"),
        ("https://[::1/hook/", "is not a URL"),
        ("https://shop.co.ke:port/hook/", "is not a URL"),
        ("https://shop.co.ke:99999/hook/", "is not a URL"),
        ("https://user:word@shop.co.ke/hook/", "must not hold a user name"),
        ("https://shop.co.ke/hook/#here", "must not hold a fragment"),
        ("https://shop.co.ke/Hook/", "must be in lower case: capitals have been seen refused"),
    ],
)
def test_an_address_that_breaks_a_rule_is_refused_in_a_sentence(url, sentence):
    assert check_callback_url(url) == f"The callback address {sentence}."


@pytest.mark.parametrize(
    "host",
    [
        "", "localhost", "shop", "127.0.0.1", "10.0.0.5", "192.168.1.4", "169.254.169.254",
        "0.0.0.0", "[::1]", "[fd00::1]", "127.1", "2130706433", "0x7f.1", "shop.local",
        "db.internal", "shop.test", "a..co.ke", "-shop.co.ke", "shop_1.co.ke", "x" * 64 + ".co.ke",
    ],
)  # fmt: skip
def test_a_host_that_is_not_public_is_refused(host):
    assert check_callback_url(f"https://{host}/hook/") == (
        "The callback address must have a public host name or a public IP address."
    )


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("https://shop.co.ke/mpesa/", "mpesa"),
        ("https://shop.co.ke/MPesa/", "mpesa"),
        ("https://shop.co.ke/m-pesa/", "m-pesa"),
        ("https://mpesa.shop.co.ke/hook/", "mpesa"),
        ("https://shop.co.ke/safaricom/", "safaricom"),
        ("https://shop.co.ke/exe/", "exe"),
        ("https://shop.co.ke/execute/", "exe"),
        ("https://shop.co.ke/cmd/", "cmd"),
        ("https://shop.co.ke/sqlite/", "sql"),
        ("https://shop.co.ke/hook/?query=1", "query"),
        ("https://1234.ngrok.io/hook/", "ngrok"),
        ("https://mockbin.org/hook/", "mockbin"),
        ("https://requestbin.com/hook/", "requestbin"),
    ],
)
def test_an_address_with_a_banned_word_is_refused(url, word):
    assert check_callback_url(url) == (
        f'The callback address must not hold "{word}", which Safaricom refuses.'
    )
