"""Pictures that are refused: other formats, moving ones, damaged ones, and ones that lie."""

import zlib

import pytest
from PIL import Image
from rest_framework import serializers

from omachemainproj import picture_decoder
from omachemainproj.images import BadPicture, PictureField, normalise
from omachemainproj.picture_decoder import Refused, TooManyScans, redraw

from .pictures import chunk, encode, moving, png, png_claiming, upload

BROKEN = "This is not a JPEG, PNG, WebP or HEIC picture, or it is damaged."
TOO_MANY_PIXELS = (
    "The picture has more than 8000 pixels a side or 24 million. Send a larger one as JPEG or HEIC."
)
TOO_LARGE_A_PHOTO = "The picture has more than 12000 pixels a side or 51 million."
MOVES = "The picture is animated. Send a still one."


def refusal(raw):
    with pytest.raises(BadPicture) as refused:
        normalise(raw)
    return str(refused.value)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind):
    assert refusal(moving(kind)) == MOVES


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        SVG,
        EPS,
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        encode(Image.new("RGB", (40, 30)), "GIF"),
        encode(Image.new("RGB", (40, 30)), "BMP"),
        encode(Image.new("RGB", (40, 30)), "TIFF"),
        moving("GIF"),
        png_claiming(0, 0),
        png_claiming(40, 30),
        b"GIF89a" + png(),
    ],
    ids=lambda raw: raw[:12],
)
def test_a_file_in_none_of_the_four_formats_is_refused(raw):
    assert refusal(raw) == BROKEN


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_half_a_picture_is_refused(kind):
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    raw = encode(noise, kind)

    assert refusal(raw[: len(raw) // 2]) == BROKEN


@pytest.mark.parametrize("size", [(8001, 10), (10, 8001), (5000, 4801), (7100, 7100), (9400, 9400)])
def test_too_many_pixels_are_refused_by_the_header(size, monkeypatch):
    undecoded(monkeypatch)

    with pytest.raises(Refused, match="too_large"):
        redraw(png_claiming(*size))


def undecoded(monkeypatch):
    monkeypatch.setattr(
        picture_decoder, "_scaled_upright", lambda image: pytest.fail("it was decoded")
    )


@pytest.mark.parametrize("size", [(13000, 13000), (2**31 - 1,) * 2])
def test_a_header_that_claims_a_flood_of_pixels_is_refused(size):
    assert "pixels a side" in refusal(png_claiming(*size))


def test_a_file_of_more_than_twelve_megabytes_is_refused_unread():
    assert refusal(png() + b"\0" * (12 * 1024 * 1024)) == "The picture is larger than 12 MB."


def test_a_compressed_bomb_in_a_text_chunk_is_refused():
    bomb = chunk(b"zTXt", b"k\x00\x00" + zlib.compress(b"\0" * 200_000_000, 9))
    raw = png()

    assert refusal(raw[:33] + bomb + raw[33:]) == BROKEN


@pytest.mark.parametrize("size", [(12001, 10), (10, 12001), (8000, 6400)])
def test_too_large_a_photo_is_refused_by_its_header(size, monkeypatch):
    undecoded(monkeypatch)

    with pytest.raises(Refused, match="photo_too_large"):
        redraw(encode(Image.new("L", size), "JPEG"))


def test_each_refusal_says_what_the_picture_may_have():
    assert refusal(png_claiming(8001, 10)) == TOO_MANY_PIXELS
    assert refusal(encode(Image.new("L", (12001, 10)), "JPEG")) == TOO_LARGE_A_PHOTO


def test_a_printers_jpeg_has_the_smaller_limit():
    assert refusal(encode(Image.new("CMYK", (6000, 4001)), "JPEG")) == TOO_MANY_PIXELS


def test_a_jpeg_of_more_passes_than_anything_writes_is_refused(monkeypatch):
    undecoded(monkeypatch)

    with pytest.raises(TooManyScans):
        redraw(with_scans(encode(Image.effect_noise((64, 64), 80), "JPEG", progressive=True), 101))


def test_the_largest_photo_may_have_fewer_passes(monkeypatch):
    undecoded(monkeypatch)
    raw = encode(Image.new("L", (8192, 6144)), "JPEG", progressive=True)

    with pytest.raises(TooManyScans):
        redraw(with_scans(raw, 8))


def with_scans(raw, number):
    """A progressive JPEG whose last pass comes that often more."""
    last = raw.rindex(b"\xff\xda")
    return raw[:last] + raw[last:-2] * (number + 1) + raw[-2:]


def test_too_many_passes_are_a_damaged_picture():
    raw = encode(Image.effect_noise((64, 64), 80), "JPEG", progressive=True)

    assert refusal(with_scans(raw, 101)) == BROKEN


def test_passes_are_counted_in_the_picture_alone():
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda" * 500
    raw = encode(Image.effect_noise((64, 64), 80), "JPEG", progressive=True, exif=exif)

    assert normalise(raw + b"\xff\xda\x00\x02" * 500)


class Form(serializers.Serializer):
    image = PictureField(required=False, allow_null=True)


def errors(image):
    form = Form(data={"image": image})
    form.is_valid()
    return form.errors


def test_the_field_takes_a_picture_whatever_it_is_called():
    form = Form(data={"image": upload(png(), "../../etc/cron.d/x.php", "text/html")})

    assert form.is_valid()
    assert form.validated_data["image"].full.name.endswith(".webp")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (upload(EPS), BROKEN),
        (upload(SVG, "logo.svg", "image/svg+xml"), BROKEN),
        (upload(moving("WEBP")), MOVES),
        (upload(png_claiming(9400, 9400)), TOO_MANY_PIXELS),
        (upload(b"\0" * (12 * 1024 * 1024 + 1)), "The picture is larger than 12 MB."),
        (upload(b""), "The submitted file is empty."),
    ],
)
def test_the_field_says_what_is_wrong_with_a_picture(image, message):
    assert errors(image) == {"image": [message]}


@pytest.mark.parametrize("image", ["text", 5, True, [], {}, "http://example.com/a.png"])
def test_the_field_takes_files_alone(image):
    assert list(errors(image)) == ["image"]


def test_the_field_lets_a_picture_be_taken_away():
    form = Form(data={"image": None})

    assert form.is_valid()
    assert form.validated_data == {"image": None}
