"""Pictures made in code: good ones, odd ones, and ones that lie."""

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pillow_heif import register_heif_opener

register_heif_opener()
#: How a HEIC picture is written quickly.
FAST_HEIC = {"quality": 20, "enc_params": {"preset": "ultrafast"}}


def encode(image, kind="PNG", **options):
    """The image as bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(size=(40, 30), colour="red", mode="RGB"):
    return encode(Image.new(mode, size, colour))


def upload(raw, name="picture.png", content_type="image/png"):
    return SimpleUploadedFile(name, raw, content_type)


def chunk(kind, data):
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height, data=b""):
    """A small file whose header claims these dimensions."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def halves(size, left, right, mode="RGB"):
    """An image whose left half has one colour and whose right half another."""
    image = Image.new(mode, size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


def reopen(file):
    """The stored picture, decoded."""
    file.seek(0)
    return Image.open(io.BytesIO(file.read()))


def moving(kind):
    """A picture of two frames."""
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:])


def heic(image, **options):
    """The image as HEIC, as a phone writes it."""
    return encode(image, "HEIF", **(FAST_HEIC | options))


def display_p3():
    """The colour profile of a phone's screen: the primaries and the curve of Display P3."""

    def fixed(number):
        return struct.pack(">i", round(number * 65536))

    def xyz(*numbers):
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, numbers))

    # sRGB's own curve, in the parameters of ICC.1:2010, 10.16.
    curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    shade = b"para\0\0\0\0\0\3\0\0" + b"".join(map(fixed, curve))
    tags = {
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
        b"rTRC": shade,
        b"gTRC": shade,
        b"bTRC": shade,
    }
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        at = 128 + 4 + 12 * len(tags) + len(body)
        table += name + struct.pack(">II", at, len(data))
        body += data
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x04000000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    white = fixed(0.9642) + fixed(1) + fixed(0.8249)
    return (head + white).ljust(128, b"\0") + table + body
