"""HEIC, as iPhones and newer Android phones take pictures: decoded apart, and never trusted."""

import random
import runpy
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import open_heif

from omachemainproj import images
from omachemainproj.images import BadPicture, normalise
from tests.conftest import signed_in

from .pictures import display_p3, halves, heic, reopen, upload

RED, BLUE = (255, 0, 0), (0, 0, 255)
BROKEN = "This is not a JPEG, PNG, WebP or HEIC picture, or it is damaged."


def near(pixel, colour):
    return all(abs(have - want) < 24 for have, want in zip(pixel, colour, strict=False))


def refusal(raw):
    with pytest.raises(BadPicture) as refused:
        normalise(raw)
    return str(refused.value)


@pytest.mark.parametrize("tile_size", [0, 512])
def test_a_phones_picture_becomes_two_webp_files(tile_size):
    picture = normalise(heic(Image.new("RGB", (2000, 1000), "red"), tile_size=tile_size))

    full, thumbnail = reopen(picture.full), reopen(picture.thumbnail)
    assert (full.format, full.size) == ("WEBP", (1600, 800))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (400, 200))
    assert near(full.convert("RGB").getpixel((5, 5)), RED)


@pytest.mark.slow
def test_fifty_megapixels_are_taken():
    full = reopen(normalise(heic(halves((8192, 6144), RED, BLUE))).full).convert("RGB")

    assert full.size == (1600, 1200)
    assert near(full.getpixel((5, 1195)), RED)
    assert near(full.getpixel((1595, 5)), BLUE)


@pytest.mark.long
def test_a_size_that_no_whole_number_divides_keeps_its_edges():
    full = reopen(normalise(heic(halves((2501, 1501), RED, BLUE))).full).convert("RGB")

    assert full.size == (1600, 960)
    assert near(full.getpixel((2, 957)), RED)
    assert near(full.getpixel((1597, 957)), BLUE)


def test_a_picture_is_upright_once_though_it_says_so_twice():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = halves((400, 200), RED, BLUE)
    image.info["exif"] = exif.tobytes()
    raw = heic(image)
    # The container's own turn, beside EXIF's.
    assert b"irot" in raw

    full = reopen(normalise(raw).full).convert("RGB")

    assert full.size == (200, 400)
    assert near(full.getpixel((5, 5)), RED)
    assert near(full.getpixel((195, 395)), BLUE)


def test_where_the_photo_was_taken_is_forgotten():
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "S"
    raw = heic(Image.new("RGB", (40, 30), "red"), exif=exif, xmp=b"<x>SECRETPLACE</x>")
    assert b"SECRETPLACE" in raw

    picture = normalise(raw)

    for file in (picture.full, picture.thumbnail):
        assert b"SECRET" not in file.open().read()
        assert not reopen(file).getexif()


def test_the_colours_of_a_phones_screen_become_a_browsers():
    image = Image.new("RGB", (64, 64), (200, 150, 130))

    full = reopen(normalise(heic(image, icc_profile=display_p3(), quality=95)).full)

    assert "icc_profile" not in full.info
    red, green, blue = full.convert("RGB").getpixel((32, 32))
    assert abs(red - 209) <= 6
    assert abs(green - 148) <= 6
    assert abs(blue - 126) <= 6


def test_transparency_of_a_heic_picture_is_kept():
    full = reopen(normalise(heic(Image.new("RGBA", (40, 30), (255, 0, 0, 0)))).full)

    assert full.getpixel((5, 5))[3] <= 4


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_shades_of_grey_are_read(mode):
    grey = 128 if mode == "L" else 32768
    full = reopen(normalise(heic(Image.new(mode, (64, 64), grey), quality=95)).full)

    assert near(full.convert("RGB").getpixel((32, 32)), (128, 128, 128))


def test_the_primary_picture_of_a_burst_is_used():
    blue = Image.new("RGB", (64, 64), "blue")
    raw = heic(Image.new("RGB", (64, 64), "red"), save_all=True, append_images=[blue])

    assert near(reopen(normalise(raw).full).convert("RGB").getpixel((5, 5)), RED)


@pytest.mark.long
def test_a_smaller_picture_inside_is_decoded_in_place_of_the_whole():
    decoder = runpy.run_path(str(images._DECODER))
    raw = heic(Image.new("RGB", (2400, 1800), "red"), thumbnails=[1800])
    whole = open_heif(raw)[0]

    assert decoder["thumbnail_inside"](raw, whole, 1600).size == (1800, 1350)
    assert decoder["thumbnail_inside"](raw, whole, 2000) is None
    assert reopen(normalise(raw).full).size == (1600, 1200)


@pytest.mark.parametrize(
    "size", [(12016, 64), (64, 12016), pytest.param((8192, 6400), marks=pytest.mark.slow)]
)
def test_too_many_pixels_are_refused_by_the_header(size):
    sentence = "The picture has more than 12000 pixels a side or 51 million."

    assert refusal(heic(Image.new("RGB", size))) == sentence


def test_a_size_that_the_header_lies_about_is_refused_or_bounded():
    raw = heic(Image.new("RGB", (64, 64), "red"))
    at = raw.index(b"ispe") + 8
    lie = raw[:at] + (8000).to_bytes(4, "big") + (6000).to_bytes(4, "big") + raw[at + 8 :]

    with suppress(BadPicture):
        assert max(reopen(normalise(lie).full).size) <= 1600


@pytest.mark.parametrize(
    "raw",
    [
        b"\0\0\0\x18ftypheic",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0" * 500,
        b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\0" * 500,
        b"\xff\xff\xff\xffftypheic" + b"\xff" * 500,
    ],
)
def test_a_file_that_only_begins_like_a_picture_is_refused(raw):
    assert refusal(raw) == BROKEN


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "import os; os.kill(os.getpid(), 11)",
        "import time; time.sleep(60)",
        "x = []\nwhile True: x.append(bytes(10_000_000))",
        "print('pictures 9999 9999')",
        "print('pictures 0 0')",
        "print('pictures 6 6'); print('<html><html>', end='')",
        "pass",
    ],
    ids=lambda program: program[:30],
)
def test_whatever_the_decoder_does_is_a_bad_picture(program, monkeypatch, tmp_path):
    decoder = tmp_path / "decoder.py"
    limits = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
    decoder.write_text(limits + program)
    monkeypatch.setattr(images, "_DECODER", decoder)
    monkeypatch.setattr(images, "DECODING_SECONDS", 2)
    begun = time.monotonic()

    assert refusal(heic(Image.new("RGB", (64, 64)))) == BROKEN
    assert time.monotonic() - begun < 60


def test_the_decoder_is_told_none_of_our_secrets(monkeypatch):
    asked = {}

    def run(command, **options):
        asked.update(options)
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(images.subprocess, "run", run)

    assert refusal(heic(Image.new("RGB", (64, 64)))) == BROKEN
    assert asked["env"] == {}


#: Runs the decoder as the program it is, and tells afterwards what it may take.
LIMITED = (
    "import resource, runpy, sys\n"
    "path, *sys.argv[1:] = sys.argv[1:]\n"
    "runpy.run_path(path, run_name='__main__')\n"
    "kinds = resource.RLIMIT_AS, resource.RLIMIT_CPU\n"
    "print(*(resource.getrlimit(kind)[0] for kind in kinds), file=sys.stderr)\n"
)


def test_the_decoder_limits_its_own_memory_and_time():
    program = str(images._DECODER)

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, program],
        input=heic(Image.new("RGB", (64, 64))),
        capture_output=True,
        check=True,
    )

    assert done.stdout.startswith(b"pictures ")
    assert done.stderr.split() == [b"1073741824", b"8"]


def damaged(raw, number):
    """Truncated and flipped copies of a file, the same ones every time."""
    chance = random.Random(18)
    for _ in range(number):
        broken = bytearray(raw[: chance.randrange(len(raw))] if chance.random() < 0.3 else raw)
        for _ in range(chance.randrange(1, 8)):
            if broken:
                broken[chance.randrange(len(broken))] = chance.randrange(256)
        yield bytes(broken)


def samples():
    noise = Image.effect_noise((320, 240), 80).convert("RGB")
    return [
        heic(noise, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0", thumbnails=[64]),
        heic(noise, tile_size=128, icc_profile=display_p3()),
        heic(noise.convert("RGBA")),
    ]


@pytest.mark.parametrize("copies", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_a_damaged_file_is_a_bad_picture_and_no_crash(copies):
    read = refused = 0
    for raw in samples():
        normalise(raw)
        for broken in damaged(raw, copies):
            try:
                normalise(broken)
                read += 1
            except BadPicture:
                refused += 1

    assert read + refused == 3 * copies
    assert refused > 0


FUZZ = (
    "import runpy, sys\n"
    "from pathlib import Path\n"
    "decoder = runpy.run_path(sys.argv[1])\n"
    "decoder['limit_resources']()\n"
    "read = 0\n"
    "for file in sorted(Path(sys.argv[2]).iterdir()):\n"
    "    try:\n"
    "        decoder['redraw'](file.read_bytes())\n"
    "        read += 1\n"
    "    except Exception:\n"
    "        pass\n"
    "print(read)\n"
)


@pytest.mark.long
@pytest.mark.parametrize("copies", [30, pytest.param(150, marks=pytest.mark.slow)])
def test_damaged_files_do_not_even_end_the_decoder(tmp_path, copies):
    folder: Path = tmp_path / "files"
    folder.mkdir()
    for kind, raw in enumerate(samples()):
        for number, broken in enumerate(damaged(raw, copies)):
            (folder / f"{kind}-{number}").write_bytes(broken)

    command = [sys.executable, "-c", FUZZ, str(images._DECODER), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert int(done.stdout) < 3 * copies


@pytest.mark.django_db
def test_a_seller_lists_with_a_picture_from_an_iphone(buyer):
    listing = {
        "name": "Kettle",
        "category": "kitchen",
        "price": 1500,
        "item_number": 3,
        "payment_mpesa_number": "0712345678",
    }
    raw = heic(Image.new("RGB", (400, 300), "red"))

    response = signed_in(buyer).post(
        "/create/", {**listing, "image": upload(raw, "IMG_0001.HEIC", "image/heic")}, "multipart"
    )

    assert response.status_code == 201
    assert response.json()["image"].endswith(".webp")


@pytest.mark.django_db
def test_half_a_picture_from_an_iphone_is_a_400_on_its_field(buyer):
    raw = heic(Image.effect_noise((400, 300), 80).convert("RGB"))
    half = upload(raw[: len(raw) // 2], "IMG_0001.HEIC", "image/heic")

    response = signed_in(buyer).patch("/account/", {"avatar": half}, "multipart")

    assert response.status_code == 400
    assert response.json() == {"avatar": [BROKEN]}
