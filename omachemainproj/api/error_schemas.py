"""OpenAPI schemas of error responses, and helpers for views to describe theirs.

Views describe their errors with ``error_answer``, ``refusals`` and ``field_errors``. The shapes are
those of docs/languages.md.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from .errors import Refusal


class DetailError(serializers.Serializer):
    """An error that is not about a field: ``detail`` is for people, ``code`` for programs."""

    detail = serializers.CharField(help_text="For people; the wording may change.")
    code = serializers.CharField(help_text="For programs; it never changes.")


class TokenError(DetailError):
    """The access token is missing or invalid.

    `token_not_valid` has a `reason`; an expired access token is renewed at `renew`.
    """

    reason = serializers.ChoiceField(["token_expired", "token_invalid"], required=False)
    renew = serializers.CharField(required=False, help_text="Where it is renewed.")


class FieldErrors(serializers.Serializer):
    """Messages by field name, nested like the input.

    A plain string is an id or a code.
    """


class InputError(serializers.Serializer):
    """Errors of the input: messages by field name, nested like the input.

    Errors that are not about a field, such as an unreadable body, have ``detail`` and ``code``.
    """


_FIELD_ERRORS = {"$ref": "#/components/schemas/FieldErrors"}
#: The value of each member; the type is recursive.
_UNDER_A_NAME = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "array", "items": _FIELD_ERRORS},
        _FIELD_ERRORS,
        {"type": "string"},
    ]
}


class FieldErrorsExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes ``FieldErrors``, whose member names are those of the input."""

    target_class = FieldErrors

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {
            "type": "object",
            "description": str(FieldErrors.__doc__),
            "additionalProperties": _UNDER_A_NAME,
        }


class InputErrorExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes ``InputError``; the operation adds its codes."""

    target_class = InputError

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        auto_schema.resolve_serializer(FieldErrors(), direction)  # type: ignore[arg-type]
        return {
            "type": "object",
            "description": str(InputError.__doc__),
            "properties": {
                "detail": {"type": "string", "description": "For people; the wording may change."},
                "code": {"description": "For programs; it never changes."},
                "codes": {
                    "$ref": "#/components/schemas/FieldErrors",
                    "description": "To a request with `Prefer: error-codes`: the code of each "
                    "sentence, in the same shape.",
                },
            },
            "additionalProperties": _UNDER_A_NAME,
        }


def error_answer(detail: str, code: str) -> OpenApiResponse:
    """Describe an error response, with this example."""
    return OpenApiResponse(DetailError, description=detail, examples=[code_example(detail, code)])


def refusals(*classes: type[Refusal]) -> OpenApiResponse:
    """Describe a response for these refusals, with an example of each."""
    examples = [code_example(each.message, each.code) for each in classes]
    return OpenApiResponse(
        DetailError, description=" ".join(each.message for each in classes), examples=examples
    )


def field_errors(description: str, **examples: dict[str, Any]) -> OpenApiResponse:
    """Describe a 400 response about fields, with these named examples."""
    shown = [OpenApiExample(name, value=value) for name, value in examples.items()]
    return OpenApiResponse(InputError, description=description, examples=shown)


def code_example(detail: str, code: str) -> OpenApiExample:
    return OpenApiExample(code, value={"detail": detail, "code": code})
