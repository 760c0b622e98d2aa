"""A body that ends before it said it would is a 400, and nothing comes of its beginning."""

import json
import socket
from base64 import b64encode
from http.client import HTTPResponse
from io import BytesIO
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client, RequestFactory
from rest_framework_simplejwt.tokens import RefreshToken

from omachemainproj.bodies import IncompleteBody, WholeBody
from payments.models import GatewayEvent, Receipt
from products.models import Product
from tests.factories import ProductFactory, UserFactory
from tests.shopping import an_order

from .pictures import encode, png, upload
from .wire import chunked, exchange, request

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

INCOMPLETE_BODY = {
    "detail": "The body broke off before its end. Send it again.",
    "code": "body_broke_off",
}
FORM = "multipart/form-data; boundary=x"
OFFER = {
    "name": "Kettle",
    "category": "kitchen",
    "price": 1500,
    "item_number": 5,
    "payment_mpesa_number": "0712345678",
}
SHEET = b"name,category,price,item_number,payment_mpesa_number\nKettle,kitchen,1500,5,0712345678\n"


def part(name, value, more=b""):
    head = b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more
    return head + b"\r\n\r\n" + value + b"\r\n"


def form(picture):
    """What a seller's browser sends: the fields first, the picture last."""
    fields = b"".join(part(name, str(value).encode()) for name, value in OFFER.items())
    file = b'; filename="kettle.png"\r\nContent-Type: image/png'
    return fields + part("image", picture, file) + b"--x--\r\n"


@pytest.fixture
def token(seller):
    return f"Bearer {RefreshToken.for_user(seller).access_token}"


@pytest.fixture
def send(token):
    def ask(body, *, path="/create/", kind="application/json", method="POST", **extra):
        raw = request(method, path, body, Content_Type=kind, Authorization=token, **extra)
        status, answer = exchange(raw)
        return status, json.loads(answer or b"null")

    return ask


@pytest.fixture(scope="module")
def large():
    """A picture of more than is read at once, 200 kB."""
    import random

    from PIL import Image

    noise = random.Random(7).randbytes(300 * 240 * 3)
    return encode(Image.frombytes("RGB", (300, 240), noise))


def test_a_whole_form_makes_a_product(send, large):
    assert send(form(png()), kind=FORM)[0] == 201
    assert send(form(large), kind=FORM)[0] == 201
    assert send(form(large)[:-2], kind=FORM)[0] == 201
    assert send(form(png()) + b"\r\n", kind=FORM)[0] == 201
    assert Product.objects.exclude(image="").count() == 4


CUTS = {
    "inside its picture": lambda body: body.index(b"PNG") + 30,
    "inside the head of its picture": lambda body: body.index(b'filename="ket') + 12,
    "before its picture": lambda body: body.index(b'name="image"') - 38,
    "inside a boundary": lambda body: len(body) - 6,
    "before its closing boundary": lambda body: len(body) - 7,
    "inside its closing boundary": lambda body: len(body) - 3,
    "inside a field": lambda body: body.index(b"1500") + 2,
    "inside a name": lambda body: body.index(b'name="pri') + 8,
    "after its first sign": lambda body: 1,
}


@pytest.mark.parametrize("where", CUTS)
@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("length", ["says more", "agrees"])
def test_a_form_that_breaks_off_makes_none(send, large, where, size, length):
    whole = form(png() if size == "small" else large)
    cut = whole[: CUTS[where](whole)]

    answer = send(cut, kind=FORM, length=len(whole) if length == "says more" else None)

    assert answer == (400, INCOMPLETE_BODY)
    assert not Product.objects.exists()


def test_no_cut_of_a_form_makes_anything(send):
    whole = form(png())

    for end in range(1, len(whole) - 2, 13):
        assert send(whole[:end], kind=FORM, length=len(whole)) == (400, INCOMPLETE_BODY)
        assert send(whole[:end], kind=FORM) == (400, INCOMPLETE_BODY)
    assert not Product.objects.exists()


@pytest.mark.parametrize("quoted", ['"x"', "x"])
def test_the_boundary_is_read_as_the_parser_reads_it(send, quoted):
    assert send(form(png()), kind=f"multipart/form-data; boundary={quoted}")[0] == 201


def test_a_boundary_lookalike_inside_a_picture_does_not_end_the_body(send):
    cut = form(png()).replace(b"--x--\r\n", b"")[:-8] + b" --x--"

    assert send(cut, kind=FORM) == (400, INCOMPLETE_BODY)


def test_a_changed_account_and_a_sheet_in_a_form_are_whole_or_nothing(send, seller):
    account = part("gender", b"her own") + part("first_name", b"Amina") + b"--x--\r\n"
    sheet = part("check", b"false") + part("file", SHEET * 30, b'; filename="s.csv"') + b"--x--\r\n"

    assert send(account[:-20], path="/account/", method="PATCH", kind=FORM) == (
        400,
        INCOMPLETE_BODY,
    )
    assert send(sheet[:-20], path="/seller/products/import/", kind=FORM) == (400, INCOMPLETE_BODY)
    seller.refresh_from_db()
    assert (seller.gender, Product.objects.count()) == ("", 0)


def test_json_shorter_than_it_said_makes_nothing(send):
    whole = json.dumps(OFFER).encode()

    for end in (1, 10, len(whole) - 1, len(whole)):
        assert send(whole[:end], length=len(whole) + 1) == (400, INCOMPLETE_BODY)
    assert not Product.objects.exists()


def test_json_that_was_cut_on_its_way_makes_nothing(send):
    status, told = send(json.dumps(OFFER).encode()[:-1])

    assert (status, told["code"], Product.objects.count()) == (400, "parse_error", 0)


@pytest.mark.parametrize("rows", [1, 3000], ids=["short", "long"])
def test_a_sheet_shorter_than_it_said_adds_nothing(send, rows):
    header, _, row = SHEET.partition(b"\n")
    sheet = header + b"\n" + row * rows

    answer = send(
        sheet[:-9] + b"\n", path="/seller/products/import/", kind="text/csv", length=len(sheet)
    )

    assert answer == (400, INCOMPLETE_BODY)
    assert not Product.objects.exists()


def test_a_body_nobody_needs_has_to_be_whole_too(send, seller):
    order = an_order(seller, (ProductFactory(), 1))

    answer = send(b'{"a":', path=f"/cashout/{order.order_token}/cancel/", length=20)

    order.refresh_from_db()
    assert answer == (400, INCOMPLETE_BODY)
    assert order.payment_status == "requested"


@pytest.mark.parametrize(
    "path", ["/login/", "/registration/", "/cart/", "/token/verify/", "/password/reset/"]
)
def test_public_addresses_say_the_same(path):
    status, told = exchange(request("POST", path, b"{}", length=9, Content_Type="application/json"))

    assert (status, json.loads(told)) == (400, INCOMPLETE_BODY)


@pytest.mark.parametrize(
    "path",
    [
        "/safwebhook/",
        "/safwebhook/0123456789abcdef/",
        "/safwebhook/c2b/laptop-only/confirmation/",
        "/safwebhook/c2b/laptop-only/validation/",
        "/safwebhook/bank/equity/",
        "/safwebhook/sms/laptop-only/",
    ],
)
def test_a_message_that_breaks_off_is_not_kept(settings, path):
    settings.EQUITY_IPN_USERNAME, settings.EQUITY_IPN_PASSWORD = "bank", "0123456789abcdef"
    bank = b64encode(b"bank:0123456789abcdef").decode()
    raw = request("POST", path, b'{"TransID": "SGL', length=900, Authorization=f"Basic {bank}")

    status, told = exchange(raw)

    assert (status, json.loads(told)["code"]) == (400, "body_broke_off")
    assert not GatewayEvent.objects.exists()


def test_a_message_of_any_kind_is_kept_as_it_came():
    """It is no form, whatever it calls itself: what M-Pesa posts is read as it is."""
    status, _ = exchange(request("POST", "/safwebhook/", b"not a form", Content_Type=FORM))

    assert status == 200
    assert bytes(GatewayEvent.objects.get().body) == b"not a form"


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_body_in_chunks_is_read(send, size, large):
    in_chunks = {"length": "none", "Transfer_Encoding": "chunked"}

    assert send(chunked(json.dumps(OFFER).encode(), size=size), **in_chunks)[0] == 201
    assert send(chunked(form(png()), size=size), kind=FORM, **in_chunks)[0] == 201
    assert send(chunked(form(large), size=size + 999), kind=FORM, **in_chunks)[0] == 201


@pytest.mark.parametrize(
    "end", [b"", b"0", b"0\r\n", b"5\r\nab", b"5\r\nabcde", b"xyz\r\n", b"-1\r\n\r\n"]
)
@pytest.mark.parametrize("path", ["/create/", "/cart/", "/safwebhook/"])
def test_chunks_without_their_end_make_nothing(send, path, end):
    body = chunked(json.dumps(OFFER if path == "/create/" else [1]).encode(), end=end)

    answer = send(body, path=path, length="none", Transfer_Encoding="chunked")

    assert answer == (400, INCOMPLETE_BODY)
    assert (Product.objects.count(), GatewayEvent.objects.count()) == (0, 0)


def test_a_form_in_chunks_needs_its_closing_boundary(send, large):
    in_chunks = {"kind": FORM, "length": "none", "Transfer_Encoding": "chunked"}

    assert send(chunked(form(png())[:-9]), **in_chunks) == (400, INCOMPLETE_BODY)
    assert send(chunked(form(large)[:-9], size=5000), **in_chunks) == (400, INCOMPLETE_BODY)
    assert not Product.objects.exists()


def test_limits_hold_for_chunks_too(send):
    in_chunks = {"length": "none", "Transfer_Encoding": "chunked"}
    long = chunked(b" " * (13 * 1024 * 1024 + 1), size=100_000)
    json_body = chunked(b" " * (64 * 1024 + 1), size=10_000)

    assert send(long, kind=FORM, **in_chunks)[0] == 413
    assert send(json_body, **in_chunks)[1]["code"] == "too_large"
    assert send(json_body, path="/safwebhook/", **in_chunks)[0] == 413


def test_a_server_that_knows_no_chunks_says_so():
    asked = RequestFactory().post("/cart/", b"", "application/json")
    answer = Client().generic(
        "POST", "/cart/", b"", "application/json", HTTP_TRANSFER_ENCODING="chunked"
    )

    assert asked.META.get("wsgi.input_terminated") is None
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def refused(coming, path, kind, **extra):
    """The status of a request whose body a client still sends, and how much of that was taken."""
    length = str(len(coming.getvalue()))
    asked = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": length, "wsgi.input": coming, **extra}
    return Client().generic("POST", path, **asked).status_code, coming.tell()


@pytest.mark.parametrize(
    ("path", "kind", "is_known", "status"),
    [
        ("/create/", FORM, True, 413),
        ("/create/", FORM, False, 401),
        ("/login/", "application/json", False, 413),
        ("/login/", "application/xml", False, 415),
        ("/nowhere/", "application/json", False, 404),
    ],
)
def test_a_body_refused_while_being_sent_is_read_to_its_end(token, path, kind, is_known, status):
    coming = BytesIO(bytes(14 * 1024 * 1024))
    who = {"HTTP_AUTHORIZATION": token} if is_known else {}

    assert refused(coming, path, kind, **who) == (status, 14 * 1024 * 1024)


def test_more_than_the_proxies_let_through_is_not_heard_out(token):
    coming = BytesIO(bytes(17 * 1024 * 1024))

    assert refused(coming, "/create/", FORM, HTTP_AUTHORIZATION=token) == (413, 0)


@pytest.fixture
def staff_browser(db):
    """The headers of a superuser's browser, and the mark its forms carry."""
    boss = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss, backend="accounts.backends.UsernameOrEmailBackend")
    mark = "a" * 32
    session = client.cookies["sessionid"].value
    return mark, {"Cookie": f"sessionid={session}; csrftoken={mark}"}


def receipt_form(mark, amount="1500"):
    return {
        "csrfmiddlewaretoken": mark,
        "number": "TKG1234567",
        "why": "Seen on the portal",
        "amount": amount,
    }


WRITE = "/admin/payments/console/receipt/"
URLENCODED = "application/x-www-form-urlencoded"


def test_half_an_amount_is_never_written_down(staff_browser):
    mark, browser = staff_browser
    body = urlencode(receipt_form(mark)).encode()

    status, told = exchange(
        request("POST", WRITE, body[:-2], length=len(body), Content_Type=URLENCODED, **browser)
    )

    assert (status, json.loads(told)) == (400, INCOMPLETE_BODY)
    assert not Receipt.objects.exists()


def test_a_whole_amount_is(staff_browser):
    mark, browser = staff_browser
    body = urlencode(receipt_form(mark)).encode()

    status, _ = exchange(request("POST", WRITE, body, Content_Type=URLENCODED, **browser))

    assert (status, Receipt.objects.get().amount) == (302, 1500)


@pytest.mark.parametrize("length", ["says more", "agrees"])
@pytest.mark.parametrize("filling", [0, 100_000], ids=["short", "long"])
def test_a_form_of_parts_in_the_admin_needs_its_end(staff_browser, filling, length):
    mark, browser = staff_browser
    fields = receipt_form(mark) | {"more": "x" * filling}
    amount = fields.pop("amount")
    fields["amount"] = amount
    whole = b"".join(part(name, value.encode()) for name, value in fields.items()) + b"--x--\r\n"
    cut = whole[: whole.rindex(b"1500") + 2]

    status, told = exchange(
        request(
            "POST", WRITE, cut, Content_Type=FORM, **browser,
            length=len(whole) if length == "says more" else None,
        )
    )  # fmt: skip

    assert status == 400
    assert json.loads(told)["code"] in {"body_broke_off", "bad_request"}
    assert not Receipt.objects.exists()
    assert exchange(request("POST", WRITE, whole, Content_Type=FORM, **browser))[0] == 302


@pytest.mark.django_db(transaction=True)
def test_the_development_server_reads_bodies_whole_too(live_server):
    host, _, port = urlsplit(live_server.url).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as ours:
        ours.sendall(request("POST", "/cart/", b"[1]", length=9, Content_Type="application/json"))
        ours.shutdown(socket.SHUT_WR)
        answer = HTTPResponse(ours)
        answer.begin()

        assert (answer.status, json.loads(answer.read())) == (400, INCOMPLETE_BODY)


class Trickle:
    """A server that hands a body over in pieces of its own choosing."""

    def __init__(self, *pieces):
        self._pieces = list(pieces)

    def read(self, size):
        piece = self._pieces.pop(0) if self._pieces else b""
        self._pieces[:0] = [piece[size:]] if piece[size:] else []
        return piece[:size]

    readline = read


def test_pieces_are_put_together():
    body = WholeBody(Trickle(b"ab", b"c", b"defgh"), 8)

    assert (body.read(4), body.read(4), body.broke_off) == (b"abcd", b"efgh", False)


@pytest.mark.parametrize("read", ["read", "readline"])
def test_an_end_that_comes_too_early_is_no_end(read):
    body = WholeBody(Trickle(b"ab"), 8)
    with pytest.raises(IncompleteBody):
        [getattr(body, read)(4) for _ in range(4)]

    assert body.broke_off


def test_the_test_clients_own_forms_are_whole(seller_api):
    answer = seller_api.post("/create/", OFFER | {"image": upload(png())}, format="multipart")

    assert answer.status_code == 201
