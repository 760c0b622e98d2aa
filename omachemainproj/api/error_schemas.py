"""How error answers are described in OpenAPI: their shapes, and what views say of theirs.

Views name what they refuse with ``error_answer``, ``refusals`` and ``field_errors``. The shape of
errors is that of docs/languages.md.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from .errors import Refusal


class DetailError(serializers.Serializer):
    """An error that is about no field: ``detail`` is for people, ``code`` for programs."""

    detail = serializers.CharField(help_text="For people; the wording may change.")
    code = serializers.CharField(help_text="For programs; it never changes.")


class TokenError(DetailError):
    """Nobody knows who asks, or their token opens nothing.

    `token_not_valid` has a `reason`: an access token that has expired is renewed at `renew`.
    """

    reason = serializers.ChoiceField(["token_expired", "token_invalid"], required=False)
    renew = serializers.CharField(required=False, help_text="Where it is renewed.")


class FieldErrors(serializers.Serializer):
    """Sentences under the names of fields, nested as the input is.

    A lone text is an id or a code to go on with.
    """


class InputError(serializers.Serializer):
    """What is wrong with the input: sentences under the name of each field, nested as the input is.

    Where it is about no field (a body that cannot be read, say) there are ``detail`` and ``code``.
    """


_FIELD_ERRORS = {"$ref": "#/components/schemas/FieldErrors"}
#: The one recursive type, as what stands under a name.
_UNDER_A_NAME = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "array", "items": _FIELD_ERRORS},
        _FIELD_ERRORS,
        {"type": "string"},
    ]
}


class FieldErrorsExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes ``FieldErrors``, whose member names are the input's own."""

    target_class = FieldErrors

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {
            "type": "object",
            "description": str(FieldErrors.__doc__),
            "additionalProperties": _UNDER_A_NAME,
        }


class InputErrorExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes ``InputError``; which codes there are is the operation's."""

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
    """Return the description of an error answer, with this example."""
    return OpenApiResponse(DetailError, description=detail, examples=[code_example(detail, code)])


def refusals(*classes: type[Refusal]) -> OpenApiResponse:
    """Return the description of an answer that says one of these refusals, an example each."""
    examples = [code_example(each.message, each.code) for each in classes]
    return OpenApiResponse(
        DetailError, description=" ".join(each.message for each in classes), examples=examples
    )


def field_errors(description: str, **examples: dict[str, Any]) -> OpenApiResponse:
    """Return the description of an answer 400 about fields, with these examples by their names."""
    shown = [OpenApiExample(name, value=value) for name, value in examples.items()]
    return OpenApiResponse(InputError, description=description, examples=shown)


def code_example(detail: str, code: str) -> OpenApiExample:
    return OpenApiExample(code, value={"detail": detail, "code": code})
