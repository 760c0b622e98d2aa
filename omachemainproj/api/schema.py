"""What every endpoint's OpenAPI description has in common: errors and the bearer token.

Views describe inputs and outputs with ``extend_schema``; the errors that every endpoint can answer
(no token, a body that cannot be read, too many requests) are added here.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny


class DetailError(serializers.Serializer):
    """An error that is about no field: ``detail`` is for people, ``code`` for programs."""

    detail = serializers.CharField(help_text="For people; the wording may change.")
    code = serializers.CharField(help_text="For programs; it never changes.")


class FieldErrors(serializers.Serializer):
    """What is wrong with the input, under the name of each field and nested as the input is.

    A body that cannot be read at all is a ``DetailError`` instead.
    """


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer <access token>``."""

    target_class = "accounts.authentication.JWTAuthentication"
    name = "bearer"


class FieldErrorsExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Describes ``FieldErrors``, whose member names are the input's own."""

    target_class = FieldErrors

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        return {
            "type": "object",
            "description": str(FieldErrors.__doc__),
            "additionalProperties": {},
            "example": {"field": ["This field is required."]},
        }


def error_answer(detail: str, code: str) -> OpenApiResponse:
    """Return the description of an error answer, with this example."""
    example = OpenApiExample(code, value={"detail": detail, "code": code})
    return OpenApiResponse(DetailError, description=detail, examples=[example])


def field_errors(description: str, **examples: dict[str, Any]) -> OpenApiResponse:
    """Return the description of an answer 400 about fields, with these examples by their names."""
    shown = [OpenApiExample(name, value=value) for name, value in examples.items()]
    return OpenApiResponse(FieldErrors, description=description, examples=shown)


_BAD_INPUT = field_errors("Something in the input is wrong.")
_NO_TOKEN = error_answer("Authentication credentials were not provided.", "not_authenticated")
_TOO_LARGE = error_answer("The body is larger than 64 kB.", "too_large")
_WRONG_TYPE = error_answer(
    'Unsupported media type "text/plain" in request.', "unsupported_media_type"
)
_TOO_MANY = error_answer("Request was throttled. Expected available in 12 seconds.", "throttled")


class OmacheSchema(AutoSchema):
    """Adds to each operation the errors it can answer without its view saying so."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, answer in self._shared_errors().items():
            if code not in bodies:
                bodies[code] = self._describe(answer, code, direction)
        return dict(sorted(bodies.items()))

    def _describe(self, answer: OpenApiResponse, code: str, direction: Any) -> Any:
        return self._get_response_for_code(  # type: ignore[no-untyped-call]
            answer, code, direction=direction
        )

    def _shared_errors(self) -> dict[str, OpenApiResponse]:
        # Any address can be one that cannot be read, and any list's page can be misspelt.
        errors: dict[str, OpenApiResponse] = {"400": _BAD_INPUT}
        if self.method in {"POST", "PUT", "PATCH"}:
            errors |= {"413": _TOO_LARGE, "415": _WRONG_TYPE}
        permissions = self.view.get_permissions()
        if permissions and not all(isinstance(item, AllowAny) for item in permissions):
            errors["401"] = _NO_TOKEN
        if getattr(self.view, "throttle_scope", None):
            errors["429"] = _TOO_MANY
        return errors
