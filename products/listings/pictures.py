"""Adding, replacing, ordering and removing a product's pictures, and drawing missing sizes.

A product's row is locked before its pictures change, so that concurrent requests can neither
exceed the limit nor leave a gap. Its ``image`` and ``thumbnail`` are always those of the first
picture.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.images import Picture, normalise_own
from omachemainproj.locking import lock_row
from products.models import MAX_PICTURES, Product, ProductPicture

logger = logging.getLogger(__name__)

_FILES = ("image", "medium", "thumbnail", "preview")
#: Added to places while pictures are reordered, so that no two share a place.
_ASIDE = 1000
#: At most how many products' pictures one statement deletes.
_BATCH = 500


class TooManyPictures(Refusal):
    """The product already has MAX_PICTURES pictures."""

    code = "too_many_pictures"
    message = f"A product can have at most {MAX_PICTURES} pictures. Remove one first."


class NoSuchPicture(Refusal):
    """The product has no such picture."""

    code = "picture_not_found"
    message = "There is no such picture."
    status_code = 404


@contextmanager
def stored_files(picture: Picture | None) -> Iterator[ProductPicture | None]:
    """Store a picture's files and yield its unsaved row; None for None.

    The files are deleted again if the block raises.
    """
    if picture is None:
        yield None
        return
    row = ProductPicture(
        place=0,
        sizes={name: list(size) for name, size in picture.sizes.items()},
        is_drawn=picture.preview is not None,
    )
    try:
        _store(row, picture)
        yield row
    except BaseException:
        _delete_files([row])
        raise


def add_picture(product_id: int, picture: Picture) -> ProductPicture:
    """Add a picture after a product's others. Raises TooManyPictures."""
    with stored_files(picture) as row, transaction.atomic():
        assert row is not None  # noqa: S101
        lock_row(Product, product_id)
        row.product_id, row.place = product_id, _pictures(product_id).count()
        if row.place >= MAX_PICTURES:
            raise TooManyPictures
        row.save(force_insert=True)
        _copy_first_picture(product_id)
    return row


def replace_picture(product_id: int, picture_id: int, picture: Picture) -> ProductPicture:
    """Replace one of a product's pictures. Raises NoSuchPicture.

    The old picture's files are deleted after the commit.
    """
    with stored_files(picture) as row, transaction.atomic():
        assert row is not None  # noqa: S101
        lock_row(Product, product_id)
        before = _pictures(product_id).filter(pk=picture_id).first()
        if before is None:
            raise NoSuchPicture
        _forget(before)
        row.product_id, row.place = product_id, before.place
        row.save(force_insert=True)
        _copy_first_picture(product_id)
    return row


def replace_first(product_id: int, new: ProductPicture | None) -> None:
    """Replace the first picture by one whose files are stored, or remove it if ``new`` is None.

    Call it in a transaction. The old picture's files are deleted after the commit.
    """
    lock_row(Product, product_id)
    before = _pictures(product_id).filter(place=0).first()
    if before is not None:
        _forget(before)
        if new is None:
            _close_gap(product_id, 0)
    if new is not None:
        new.product_id, new.place = product_id, 0
        new.save(force_insert=True)
    _copy_first_picture(product_id)


@transaction.atomic
def order_pictures(product_id: int, ids: Sequence[int]) -> None:
    """Reorder a product's pictures. Safe to repeat.

    Raises FieldRefusal unless ``ids`` has every picture exactly once.
    """
    lock_row(Product, product_id)
    current = list(_pictures(product_id).order_by("place").values_list("pk", flat=True))
    if sorted(ids) != sorted(current):
        listed = ", ".join(map(str, current)) or "none"
        raise FieldRefusal({"order": [f"List every picture of the product once: {listed}."]})
    _pictures(product_id).update(place=F("place") + _ASIDE)
    for place, pk in enumerate(ids):
        _pictures(product_id).filter(pk=pk).update(place=place)
    _copy_first_picture(product_id)


@transaction.atomic
def remove_picture(product_id: int, picture_id: int) -> None:
    """Remove a picture; those after it move up. Raises NoSuchPicture."""
    lock_row(Product, product_id)
    picture = _pictures(product_id).filter(pk=picture_id).first()
    if picture is None:
        raise NoSuchPicture
    _forget(picture)
    _close_gap(product_id, picture.place)
    _copy_first_picture(product_id)


def remove_all_pictures(product_ids: Sequence[int]) -> None:
    """Delete all pictures of these products. Safe to repeat.

    Call it in a transaction that has locked the products and cleared their ``image`` and
    ``thumbnail``. Files are deleted after the commit.
    """
    for start in range(0, len(product_ids), _BATCH):
        rows = ProductPicture.objects.filter(product__in=product_ids[start : start + _BATCH])
        pictures = list(rows)
        rows.delete()
        for picture in pictures:
            transaction.on_commit(partial(_delete_files, [picture]), robust=True)


def pictures_missing_sizes() -> QuerySet[ProductPicture]:
    """Pictures with missing sizes, uploaded when there were only two."""
    return ProductPicture.objects.filter(is_drawn=False).order_by("pk")


def draw_sizes(picture_id: int) -> bool:
    """Draw the missing sizes of a picture from its largest. Safe to repeat and to run concurrently.

    Returns whether it did. The two existing sizes keep their files, to which links may exist. If
    the file is gone or cannot be read, nothing is drawn, and the picture is not tried again.
    """
    row = pictures_missing_sizes().filter(pk=picture_id).first()
    if row is None:
        return False
    picture = _drawn_from(row)
    if picture is None:
        pictures_missing_sizes().filter(pk=picture_id).update(is_drawn=True)
        return False
    with stored_files(_without(picture)) as new:
        assert new is not None  # noqa: S101
        drawn = (
            pictures_missing_sizes()
            .filter(pk=picture_id)
            .update(
                medium=new.medium.name or "",
                preview=new.preview.name or "",
                sizes=new.sizes,
                is_drawn=True,
            )
        )
    if not drawn:
        _delete_files([new])
    return bool(drawn)


def _without(picture: Picture) -> Picture:
    """The picture with only the sizes that are missing."""
    return replace(picture, full=None, thumbnail=None)  # type: ignore[arg-type]


def _drawn_from(row: ProductPicture) -> Picture | None:
    try:
        with row.image.open("rb") as file:
            raw = file.read()
    except FileNotFoundError:
        return None
    try:
        return normalise_own(raw, gallery=True)
    except Exception:
        # Pillow may raise almost anything for a damaged picture.
        logger.exception("the sizes of picture %s could not be drawn", row.pk)
        return None


def _pictures(product_id: int) -> QuerySet[ProductPicture]:
    return ProductPicture.objects.filter(product=product_id)


def _forget(picture: ProductPicture) -> None:
    # The instance keeps its file names, and the files are deleted once nothing refers to them.
    _pictures(picture.product_id).filter(pk=picture.pk).delete()
    transaction.on_commit(partial(_delete_files, [picture]), robust=True)


def _close_gap(product_id: int, place: int) -> None:
    # One at a time, starting at the gap, so that no two share a place.
    behind = _pictures(product_id).filter(place__gt=place).order_by("place")
    for pk in list(behind.values_list("pk", flat=True)):
        _pictures(product_id).filter(pk=pk).update(place=F("place") - 1)


def _copy_first_picture(product_id: int) -> None:
    """Copy the first picture to the product's own columns. The product must be locked."""
    first = _pictures(product_id).filter(place=0).first()
    files = {
        "image": first.image.name if first else "",
        "thumbnail": first.thumbnail.name if first else "",
    }
    changed = Product.objects.filter(pk=product_id).exclude(**files)
    changed.update(**files, updated_at=timezone.now())


def _store(row: ProductPicture, picture: Picture) -> None:
    files: dict[str, ContentFile[bytes] | None] = {
        "image": picture.full,
        "thumbnail": picture.thumbnail,
        "medium": picture.medium,
        "preview": picture.preview,
    }
    for name, file in files.items():
        if file is not None:
            storage = getattr(row, name).storage
            setattr(row, name, storage.save(f"products/{file.name}", file))


def _delete_files(rows: Sequence[ProductPicture]) -> None:
    for row in rows:
        for name in _FILES:
            stored = getattr(row, name)
            if stored:
                stored.delete(save=False)
