"""Uploaded pictures: judged by their bytes, redrawn, and never kept as sent."""

import io
import subprocess
import sys
import threading
import zipfile

import pytest
from PIL import Image

from daraja_simulator.tests.waiting import PATIENCE
from omachemainproj import images
from omachemainproj.api.errors import Busy
from omachemainproj.images import BadPicture
from omachemainproj.images import normalise as normalise_apart
from omachemainproj.images import normalise_own as normalise

from .pictures import FAST_HEIC, chunk, display_p3, encode, halves, png, reopen, upload

RED, BLUE = (255, 0, 0), (0, 0, 255)


def slow(*case):
    """One of the largest pictures: seconds each."""
    return pytest.param(*case, marks=pytest.mark.slow)


def near(pixel, colour):
    return all(abs(have - want) < 24 for have, want in zip(pixel, colour, strict=False))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_two_webp_files(kind):
    picture = normalise(encode(Image.new("RGB", (2000, 1000), "red"), kind))

    full, thumbnail = reopen(picture.full), reopen(picture.thumbnail)
    assert (full.format, full.size) == ("WEBP", (1600, 800))
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (400, 200))
    assert near(full.convert("RGB").getpixel((5, 5)), RED)


def test_a_small_picture_is_not_blown_up():
    picture = normalise(png((40, 30)))

    assert reopen(picture.full).size == (40, 30)
    assert reopen(picture.thumbnail).size == (40, 30)


@pytest.mark.parametrize("size", [(8000, 1), (1, 8000), (1, 1)])
def test_the_thinnest_picture_keeps_a_pixel(size):
    assert min(reopen(normalise(png(size)).thumbnail).size) == 1


def test_names_are_ours_and_never_the_same():
    first, second = normalise(png()), normalise(png())

    assert first.full.name != second.full.name
    assert first.full.name.removesuffix(".webp") == first.thumbnail.name.removesuffix(".thumb.webp")
    assert len(first.full.name) == len("0" * 32 + ".webp")


@pytest.mark.parametrize(
    ("orientation", "size", "first", "last"),
    [
        (1, (40, 20), RED, BLUE),
        (2, (40, 20), BLUE, RED),
        (3, (40, 20), BLUE, RED),
        (4, (40, 20), RED, BLUE),
        (5, (20, 40), RED, BLUE),
        (6, (20, 40), RED, BLUE),
        (7, (20, 40), BLUE, RED),
        (8, (20, 40), BLUE, RED),
    ],
)
def test_a_picture_is_turned_as_its_camera_says(orientation, size, first, last):
    exif = Image.Exif()
    exif[0x0112] = orientation

    full = reopen(normalise(encode(halves((40, 20), RED, BLUE), "PNG", exif=exif)).full)

    assert full.size == size
    assert near(full.convert("RGB").getpixel((2, 2)), first)
    assert near(full.convert("RGB").getpixel((size[0] - 3, size[1] - 3)), last)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_turn_nobody_knows_is_no_turn(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert reopen(normalise(encode(Image.new("RGB", (40, 20)), exif=exif)).full).size == (40, 20)


def test_damaged_exif_does_not_spoil_a_good_picture():
    raw = png((40, 20))
    raw = raw[:33] + chunk(b"eXIf", b"II*\x00\xff\xff\xff\xff" * 3) + raw[33:]

    assert reopen(normalise(raw).full).size == (40, 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_where_the_photo_was_taken_is_forgotten(kind):
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "S"
    raw = encode(
        Image.new("RGB", (40, 30), "red"),
        kind,
        exif=exif,
        icc_profile=b"SECRETPROFILE" * 20,
        xmp=b"<x>SECRETPLACE</x>",
    )

    picture = normalise(raw + b"SECRETTRAILER")

    for file in (picture.full, picture.thumbnail):
        kept = reopen(file)
        assert b"SECRET" not in file.open().read()
        assert not kept.getexif()
        assert "xmp" not in kept.info
        assert "icc_profile" not in kept.info


def test_no_byte_behind_or_inside_the_picture_survives():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("payload.html", "<script>alert(1)</script>")

    picture = normalise(png() + archive.getvalue())

    assert b"script" not in picture.full.read()
    assert not zipfile.is_zipfile(io.BytesIO(picture.full.open().read()))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "WEBP"),
    ],
)
def test_every_way_of_keeping_colours_is_read(mode, kind):
    full = reopen(normalise(encode(Image.new(mode, (40, 30)), kind)).full)

    assert full.size == (40, 30)


def test_sixteen_bits_of_grey_stay_grey():
    full = reopen(normalise(encode(Image.new("I;16", (40, 30), 32768))).full)

    assert near(full.convert("RGB").getpixel((5, 5)), (128, 128, 128))


def test_printers_colours_become_screen_colours():
    full = reopen(normalise(encode(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG")).full)

    assert near(full.convert("RGB").getpixel((5, 5)), RED)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_of_a_picture_is_kept(mode):
    clear = (255, 0, 0, 0) if mode == "RGBA" else (255, 0)

    full = reopen(normalise(encode(Image.new(mode, (40, 30), clear))).full)

    assert full.mode == "RGBA"
    assert full.getpixel((5, 5))[3] == 0


@pytest.mark.parametrize(("mode", "clear"), [("P", 0), ("L", 0), ("RGB", (0, 0, 0))])
def test_a_colour_that_means_see_through_is_understood(mode, clear):
    full = reopen(normalise(encode(Image.new(mode, (40, 30), clear), transparency=clear)).full)

    assert full.getpixel((5, 5))[3] == 0


def test_a_photo_with_a_second_picture_inside_is_still():
    raw = encode(
        Image.new("RGB", (40, 30), "red"),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (40, 30), "blue")],
    )

    full = reopen(normalise(raw).full)

    assert near(full.convert("RGB").getpixel((5, 5)), RED)


def test_the_largest_picture_is_taken():
    full = reopen(normalise(encode(Image.new("L", (6000, 4000)))).full)

    assert full.size == (1600, 1067)


@pytest.mark.parametrize(("size", "stored"), [((8192, 6144), 1200), slow((12000, 4000), 533)])
def test_a_phones_fifty_megapixels_are_taken(size, stored):
    full = reopen(normalise(encode(Image.new("RGB", size, "red"), "JPEG")).full)

    assert full.size == (1600, stored)
    assert near(full.convert("RGB").getpixel((5, 5)), RED)


def test_the_colours_of_a_phones_screen_become_a_browsers():
    # Display P3's green is brighter than sRGB can show; a skin tone moves a little.
    p3 = display_p3()
    raw = encode(Image.new("RGB", (40, 30), (200, 150, 130)), "PNG", icc_profile=p3)

    full = reopen(normalise(raw).full).convert("RGB")

    red, green, blue = full.getpixel((5, 5))
    assert abs(red - 209) <= 4
    assert abs(green - 148) <= 4
    assert abs(blue - 126) <= 4


def test_transparency_is_kept_when_colours_are_converted():
    image = Image.new("RGBA", (40, 30), (200, 150, 130, 0))

    full = reopen(normalise(encode(image, icc_profile=display_p3())).full)

    assert full.getpixel((5, 5))[3] == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "mode", "size", "options", "most"),
    [
        ("PNG", "RGBA", (6000, 4000), {"compress_level": 1}, 450),
        slow("WEBP", "RGBA", (6000, 4000), {"method": 0}, 450),
        # Decoded at a part of its size; whole, it would be 200 MB.
        ("JPEG", "RGB", (8192, 6144), {}, 120),
        slow("JPEG", "RGB", (8192, 6144), {"progressive": True, "subsampling": 0}, 450),
        slow("JPEG", "CMYK", (6000, 4000), {"progressive": True}, 450),
        slow("HEIF", "RGB", (8192, 6144), FAST_HEIC, 450),
        slow("HEIF", "RGBA", (8192, 6144), FAST_HEIC, 450),
    ],
)
def test_memory_stays_bounded_for_the_largest_picture(kind, mode, size, options, most, tmp_path):
    path = tmp_path / "largest"
    path.write_bytes(encode(Image.new(mode, size), kind, **options))
    # A process of its own, whose high-water mark is its own; its child decodes HEIC.
    script = (
        "import resource, sys\n"
        "from omachemainproj.images import normalise\n"
        "def peak(who): return resource.getrusage(who).ru_maxrss\n"
        "before = peak(resource.RUSAGE_SELF)\n"
        "normalise(open(sys.argv[1], 'rb').read())\n"
        "grown = peak(resource.RUSAGE_SELF) - before\n"
        "print(grown + peak(resource.RUSAGE_CHILDREN))\n"
    )
    setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings';"
    setup += "django.setup()\n"

    done = subprocess.run(
        [sys.executable, "-c", setup + script, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )

    grown_kb = int(done.stdout)
    assert grown_kb < most * 1024


@pytest.fixture
def decoding(monkeypatch):
    """A decoder that works until it is let go, and the events of it: begun, and let go."""
    begun, let_go = threading.Event(), threading.Event()

    def decode(raw, **how):
        begun.set()
        assert let_go.wait(PATIENCE)
        return raw

    monkeypatch.setattr(images, "_decode", decode)
    monkeypatch.setattr(images, "_queue", images._Queue())
    yield begun, let_go
    let_go.set()


def sent_by(sender):
    thread = threading.Thread(target=normalise_apart, args=(b"x",), kwargs={"sender": sender})
    thread.start()
    return thread


def test_an_upload_is_refused_if_all_places_are_taken(decoding, monkeypatch):
    begun, let_go = decoding
    at_work = sent_by(1)
    assert begun.wait(PATIENCE)
    waiting = sent_by(2)
    while len(images._queue._taken) < 2:
        pass

    with pytest.raises(Busy):
        normalise_apart(b"x", sender=3)

    let_go.set()
    at_work.join()
    waiting.join()
    assert images._queue._taken == []


def test_one_user_cannot_take_all_places(decoding):
    begun, let_go = decoding
    at_work = sent_by(1)
    assert begun.wait(PATIENCE)

    with pytest.raises(Busy):
        normalise_apart(b"x", sender=1)

    let_go.set()
    at_work.join()


def test_waiting_for_a_place_is_limited(decoding, monkeypatch):
    monkeypatch.setattr(images, "WAITING_SECONDS", 0.05)
    begun, let_go = decoding
    at_work = sent_by(1)
    assert begun.wait(PATIENCE)

    with pytest.raises(Busy):
        normalise_apart(b"x", sender=2)

    let_go.set()
    at_work.join()
    assert images._queue._taken == []


def test_a_seller_who_finds_every_place_taken_gets_a_503(seller_api, decoding):
    begun, let_go = decoding
    threads = [sent_by(number) for number in (-1, -2)]
    assert begun.wait(PATIENCE)
    while len(images._queue._taken) < 2:
        pass

    answer = seller_api.patch("/account/", {"avatar": upload(png())}, format="multipart")

    let_go.set()
    for thread in threads:
        thread.join()
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


@pytest.mark.long
def test_a_picture_that_takes_too_much_cpu_ends_its_process(monkeypatch, tmp_path):
    program = images._DECODER.read_text()
    greedy = program.replace("CPU_LIMIT = 8", "CPU_LIMIT = 1").replace(
        "sys.stdout.buffer.write(", "while True: ("
    )
    decoder = tmp_path / "decoder.py"
    decoder.write_text(greedy)
    monkeypatch.setattr(images, "_DECODER", decoder)

    with pytest.raises(BadPicture):
        normalise_apart(png())


def test_a_decoder_that_answers_something_else_than_webp_is_not_believed(monkeypatch, tmp_path):
    decoder = tmp_path / "decoder.py"
    decoder.write_text("print('pictures 7 7'); print('<html>\\n<html>')")
    monkeypatch.setattr(images, "_DECODER", decoder)

    with pytest.raises(BadPicture):
        normalise_apart(png())
