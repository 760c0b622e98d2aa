"""Uploaded pictures: checked by content, encoded again, and stored under random names.

No byte of an upload is stored: it is decoded, turned upright, scaled, brought into sRGB and encoded
as WebP, so metadata (a phone's GPS position), trailing bytes and files of two formats stay out.
A separate program does the work (picture_decoder.py), one picture at a time per process.
"""

from __future__ import annotations

import io
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from django.core.files.base import ContentFile
from PIL import Image
from rest_framework import serializers

from omachemainproj.api.errors import Busy
from omachemainproj.picture_decoder import (
    FULL_SIDE,
    PHOTO,
    WHOLE,
    PictureRefusal,
    redraw,
    redraw_gallery,
)

MAX_BYTES = 12 * 1024 * 1024
#: Seconds that decoding a picture may take; a full-size photo takes one.
DECODING_SECONDS = 15
#: Pictures decoded or waiting at a time per process: less than half its threads.
PLACES = 2
#: Seconds an upload waits for the one before it.
WAITING_SECONDS = 5

_DECODER = Path(__file__).with_name("picture_decoder.py")
_ANSWER = re.compile(rb"pictures ((?:[0-9]{1,8} ?){2,4})\n")

#: The files in the order the decoder writes them: their names here, and file extensions.
_FILES = (
    ("full", ".webp", "WEBP"),
    ("thumbnail", ".thumb.webp", "WEBP"),
    ("medium", ".medium.webp", "WEBP"),
    ("preview", ".preview.jpg", "JPEG"),
)

_TOO_MANY_BYTES = f"The picture is larger than {MAX_BYTES // 1024 // 1024} MB."
_DAMAGED = "This is not a JPEG, PNG, WebP or HEIC picture, or it is damaged."
_REFUSALS = {
    PictureRefusal.PHOTO_TOO_LARGE: f"The picture has more than {PHOTO.side} pixels a side or "
    f"{PHOTO.pixels // 10**6} million.",
    PictureRefusal.TOO_LARGE: f"The picture has more than {WHOLE.side} pixels a side or "
    f"{WHOLE.pixels // 10**6} million. Send a larger one as JPEG or HEIC.",
    PictureRefusal.MOVES: "The picture is animated. Send a still one.",
}
_SAID = {f"{word}\n".encode(): sentence for word, sentence in _REFUSALS.items()}


class BadPicture(ValueError):
    """The upload is not an accepted picture; the text is the reason, for the sender."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A normalised picture, ready to store: WebP files and a JPEG with the same random name.

    ``medium`` and ``preview`` are only made for a gallery; ``medium`` is None if the picture is no
    larger. ``sizes`` has the width and height of each by name, the full size as ``image``.
    """

    full: ContentFile[bytes]
    thumbnail: ContentFile[bytes]
    medium: ContentFile[bytes] | None = None
    preview: ContentFile[bytes] | None = None
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)


class Keep(Enum):
    """The type of ``KEEP``, distinct from None and pictures."""

    KEEP = "keep"


#: Leaves a stored picture unchanged, while None removes it.
KEEP: Final = Keep.KEEP
#: A change of a stored picture: replace, remove or keep.
PictureChange = Picture | Keep | None


def normalise(raw: bytes, *, sender: object = None, gallery: bool = False) -> Picture:
    """Return the picture upright, without metadata, at most 1600 px, with a 400 px thumbnail.

    A ``gallery`` picture also gets an 800 px size and a 600 px JPEG preview. Nothing is enlarged.

    The decoder runs in another process with limits on memory, CPU and time. One picture is decoded
    at a time, one more may wait, and each ``sender`` has one place. Raises BadPicture, and Busy if
    every place is taken.
    """
    if len(raw) > MAX_BYTES:
        raise BadPicture(_TOO_MANY_BYTES)
    with _queue.place(sender):
        return _decode(raw, gallery=gallery)


def normalise_own(raw: bytes, *, gallery: bool = False) -> Picture:
    """Like ``normalise``, for a trusted picture made by the shop itself: in this process."""
    return _named(redraw_gallery(raw) if gallery else redraw(raw))


class _Queue:
    """The queue of pictures being decoded or waiting in this process."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._taken: list[object] = []

    @contextmanager
    def place(self, sender: object) -> Iterator[None]:
        """Hold the decoder. Raises Busy without a free place, or after waiting too long."""
        with self._guard:
            has_one = sender is not None and sender in self._taken
            if has_one or len(self._taken) >= PLACES:
                raise Busy(
                    "Other pictures are being processed. Please send yours again in a moment."
                )
            self._taken.append(sender)
        try:
            if not self._turn.acquire(timeout=WAITING_SECONDS):
                raise Busy(
                    "Other pictures are being processed. Please send yours again in a moment."
                )
            try:
                yield
            finally:
                self._turn.release()
        finally:
            with self._guard:
                self._taken.remove(sender)


_queue = _Queue()


def _decode(raw: bytes, *, gallery: bool) -> Picture:
    try:
        # Without our environment, which contains secrets.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", str(_DECODER), *(["gallery"] if gallery else [])],
            input=raw,
            capture_output=True,
            env={},
            timeout=DECODING_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise BadPicture(_DAMAGED) from error
    if done.stdout in _SAID:
        raise BadPicture(_SAID[done.stdout])
    head = _ANSWER.match(done.stdout)
    if head is None:
        raise BadPicture(_DAMAGED)
    files, at = [], head.end()
    for length in map(int, head[1].split()):
        files.append(done.stdout[at : at + length])
        at += length
    if at != len(done.stdout) or len(files) != (4 if gallery else 2):
        raise BadPicture(_DAMAGED)
    return _named(files)


def _named(files: Sequence[bytes]) -> Picture:
    """The decoder's files under a random name. Raises BadPicture if one is invalid."""
    name = secrets.token_hex(16)
    stored: dict[str, ContentFile[bytes]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for (kind, ending, form), file in zip(_FILES, files, strict=False):
        if file:
            stored[kind] = ContentFile(file, name=f"{name}{ending}")
            sizes["image" if kind == "full" else kind] = _size_of_ours(file, form)
    if not stored.keys() >= {"full", "thumbnail"}:
        raise BadPicture(_DAMAGED)
    return Picture(**stored, sizes=sizes)


def _size_of_ours(file: bytes, form: str) -> tuple[int, int]:
    """Check a decoder's file for format and size; return its width and height.

    Not trusted, since the decoder read an untrusted upload. Raises BadPicture.
    """
    try:
        with Image.open(io.BytesIO(file), formats=[form]) as image:
            if max(image.size) <= FULL_SIDE and getattr(image, "n_frames", 1) == 1:
                return image.size
    except Exception as error:
        # Pillow may raise almost anything for an invalid picture.
        raise BadPicture(_DAMAGED) from error
    raise BadPicture(_DAMAGED)


class PictureField(serializers.FileField):
    """An uploaded picture; its validated value is a ``Picture``, or None to remove it.

    Empty text also means None, if None is allowed. A ``gallery`` picture gets all sizes.
    """

    default_error_messages = {
        "bad": "{reason}",
        "invalid": "Send the picture as a file, in a form (multipart/form-data).",
    }

    def __init__(self, *, gallery: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._gallery = gallery

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        return super().validate_empty_values(None if data == "" and self.allow_null else data)

    def to_internal_value(self, data: Any) -> Any:
        upload = super().to_internal_value(data)
        if upload.size > MAX_BYTES:
            self.fail("bad", reason=_TOO_MANY_BYTES)
        user = getattr(self.context.get("request"), "user", None)
        try:
            return normalise(upload.read(), sender=getattr(user, "pk", None), gallery=self._gallery)
        except BadPicture as error:
            self.fail("bad", reason=str(error))
