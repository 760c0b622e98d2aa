"""Pictures made in code: good ones, odd ones, and ones that lie."""

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


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
