"""The exceptions that services raise to refuse something; handlers.py turns them into answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from rest_framework import status
from rest_framework.exceptions import APIException, ErrorDetail


class Refusal(Exception):
    """A rule of the marketplace forbids it.

    Subclasses set ``code`` (for programs), ``message`` (for people) and ``status_code``, next to
    their rule. ``extra`` adds members to the answer.
    """

    code = "refused"
    message = "That cannot be done."
    status_code: int = status.HTTP_409_CONFLICT
    #: Seconds after which it may be tried again, answered as ``Retry-After``.
    retry_after: int | None = None

    def __init__(self, message: str = "", **extra: Any) -> None:
        self.extra = extra
        super().__init__(message or self.message)


class FieldRefusal(Refusal):
    """A rule forbids one part of the input; ``errors`` mirrors the input's shape.

    As text, its sentences without the names of the fields: the admin shows it so.

    Its sentences may be DRF's ``ErrorDetail``, which have a code (see ``handlers.answer_error``).

    ``extra`` adds members beside the errors, as a ``code``.
    """

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, errors: dict[str, Any], **extra: Any) -> None:
        self.errors = errors
        super().__init__(" ".join(_sentences(errors)), **extra)


def _sentences(errors: Any) -> Iterator[str]:
    """Yield the sentences in a refusal's errors, however deep they are."""
    if isinstance(errors, Mapping | list | tuple):
        for each in errors.values() if isinstance(errors, Mapping) else errors:
            yield from _sentences(each)
    else:
        yield str(errors)


class Busy(APIException):
    """The shop cannot do it now; the same request may be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The shop is busy. Please try again in a moment."
    default_code = "busy"


def refuse_field(field: str, message: str, code: str = "invalid") -> NoReturn:
    """Raise the answer ``{field: [message]}`` with status 400; ``code`` is for programs."""
    raise FieldRefusal({field: [ErrorDetail(message, code)]})
