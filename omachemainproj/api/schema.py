"""The parts of the OpenAPI description that all operations share.

Views describe their inputs and outputs with ``extend_schema``, and their errors with the functions
of error_schemas.py. This module adds the errors any operation can return, an enum of each
operation's error codes, response headers, and separate JSON and form schemas for bodies with files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from .error_schemas import (
    DetailError,
    InputError,
    TokenError,
    code_example,
    error_answer,
    field_errors,
)
from .errors import Busy
from .form_bodies import as_form, as_json, has_file
from .handlers import Conflict

_UNSAFE = frozenset({"POST", "PUT", "PATCH"})
_CHANGING = _UNSAFE | {"DELETE"}
_FORM = "multipart/form-data"


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer <access token>``."""

    target_class = "accounts.authentication.JWTAuthentication"
    name = "bearer"


_BAD_INPUT = field_errors(
    "Something in the input is wrong.", missing={"field": ["This field is required."]}
)
_BAD_ADDRESS = field_errors(
    "A query parameter is invalid or unknown.",
    unknown={"page_seize": ["There is no such parameter here. There are none."]},
)
#: For a body that cannot be read.
_UNREADABLE = (
    code_example("The body is not JSON: Expecting value.", "parse_error"),
    code_example("The request body was incomplete. Send it again.", "body_broke_off"),
)
_NO_TOKEN = OpenApiResponse(
    TokenError,
    description="The access token is missing or invalid.",
    examples=[
        code_example("Authentication credentials were not provided.", "not_authenticated"),
        OpenApiExample(
            "token_expired",
            value={
                "detail": "This token has expired. Renew it at /token/refresh/, or sign in again.",
                "code": "token_not_valid",
                "reason": "token_expired",
                "renew": "/token/refresh/",
            },
        ),
        code_example("The account of this token no longer exists.", "user_not_found"),
        code_example("This account is closed.", "user_inactive"),
        code_example("The password was changed after this token was issued.", "password_changed"),
        code_example("You were signed out. Sign in again.", "session_ended"),
    ],
)
_TOO_LARGE = error_answer(
    f"The body is larger than {settings.JSON_BODY_MAX // 1024} kB.", "too_large"
)
_WRONG_TYPE = OpenApiResponse(
    DetailError,
    description="The media type is not supported.",
    examples=[
        code_example('Unsupported media type "text/plain" in request.', "unsupported_media_type"),
        code_example("Send UTF-8.", "charset"),
    ],
)
_TOO_MANY = error_answer("Request was throttled. Expected available in 12 seconds.", "throttled")
_BUSY = error_answer(str(Busy.default_detail), Busy.default_code)
_CHANGED = error_answer(str(Conflict.default_detail), Conflict.default_code)

#: Response headers (described in description.py) by status.
_OF_STATUS = {
    "401": ("WWW-Authenticate",),
    "409": ("Retry-After",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
    "304": ("ETag",),
}


class OmacheSchema(AutoSchema):
    """Completes each operation's description."""

    _summaries: ClassVar[re.Pattern[str]] = re.compile(r"(.+?)\.(?:\s|$)", re.DOTALL)

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        _split_summary(operation)
        operation.setdefault("security", [])
        body = operation.get("requestBody", {}).get("content", {})
        # If the input has a field ``code``, its errors share that key.
        takes_code = any("code" in self._fields_of(media) for media in body.values())
        self._part_by_type(body)
        self._name_codes(operation, takes_code=takes_code)
        for status, answer in operation["responses"].items():
            self._add_headers(status, answer)
        return operation

    def _resolve_path_parameters(self, variables: Any) -> Any:
        parameters = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if parameter["name"].endswith("_id"):
                parameter["schema"] = {"type": "integer", "minimum": 1}
        return parameters

    def get_paginated_name(self, serializer_name: str) -> str:
        # Removed again: a page is a plain array (_get_response_for_code).
        return f"Page{serializer_name}"

    def _get_response_for_code(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            *args, **kwargs
        )
        for media in answer.get("content", {}).values():
            name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
            page = (f"Page{name[4:]}", ResolvedComponent.SCHEMA)
            if name.startswith("Page") and page in self.registry._components:
                media["schema"] = self.registry._components[page].schema
                answer.setdefault("headers", {})["Link"] = _header("Link")
            for example in media.get("examples", {}).values():
                # An example of the whole list was wrapped in a list again.
                if media["schema"].get("type") == "array" and _is_nested_list(example["value"]):
                    example["value"] = example["value"][0]
        return answer

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        described: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        # A model's field may be optional in the input, but is present in every response.
        instance = force_instance(serializer)  # type: ignore[no-untyped-call]
        if direction == "response" and isinstance(instance, serializers.ModelSerializer):
            optional = (
                instance._declared_fields if type(instance).__name__.endswith("Output") else {}
            )
            described["required"] = [
                name
                for name in described["properties"]
                if name not in optional or optional[name].required or optional[name].read_only
            ]
        return described

    def _get_examples(
        self,
        serializer: Any,
        direction: Any,
        media_type: Any,
        status_code: Any = None,
        extras: Any = None,
    ) -> Any:
        """The view's examples, or else the serializer's ``example`` (for requests its
        ``example_sent``, if it has one)."""
        given = super()._get_examples(  # type: ignore[no-untyped-call]
            serializer, direction, media_type, status_code, extras
        )
        instance = getattr(serializer, "child", serializer)
        own = getattr(instance, "example", None)
        if direction == "request":
            own = getattr(instance, "example_sent", own)
        if given or own is None:
            return given
        example = OpenApiExample("example", value=own)
        return super()._get_examples(  # type: ignore[no-untyped-call]
            serializer, direction, media_type, status_code, [example]
        )

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, answer in self._shared_errors().items():
            shared = self._describe(answer, code, direction)
            if code in bodies:
                _add_examples(bodies[code], shared)
            else:
                bodies[code] = shared
        return dict(sorted(bodies.items()))

    def _describe(self, answer: OpenApiResponse, code: str, direction: Any) -> Any:
        return self._get_response_for_code(answer, code, ["application/json"], direction)

    def _shared_errors(self) -> dict[str, OpenApiResponse]:
        # Any URL can be unreadable, and any list can get an unknown parameter.
        errors: dict[str, OpenApiResponse] = {"400": _BAD_ADDRESS, "503": _BUSY}
        if self.method in _UNSAFE:
            errors |= {"400": _unreadable(), "413": _TOO_LARGE, "415": _WRONG_TYPE}
        if self.method in _CHANGING and not getattr(self.view, "is_compressible", False):
            errors["409"] = _CHANGED
        if self.method not in _UNSAFE and self._is_public():
            errors["304"] = OpenApiResponse(
                description="Not modified since the version the client has."
            )
        permissions = self.view.get_permissions()
        if permissions and not all(isinstance(item, AllowAny) for item in permissions):
            errors["401"] = _NO_TOKEN
        if getattr(self.view, "throttle_scope", None):
            errors["429"] = _TOO_MANY
        return errors

    def _is_public(self) -> bool:
        """Whether the response may be cached (omachemainproj.http_caching)."""
        lets_in = all(isinstance(item, AllowAny) for item in self.view.get_permissions())
        return lets_in and not getattr(self.view, "is_private", False)

    def _name_codes(self, operation: dict[str, Any], *, takes_code: bool) -> None:
        """Describe ``code`` in all error responses by one enum per operation."""
        errors = {
            status: answer
            for status, answer in operation["responses"].items()
            if status >= "400" and "content" in answer
        }
        codes = {code for answer in errors.values() for code in _codes_in(answer)}
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"{_pascal(operation['operationId'])}ErrorCode",
            type=ResolvedComponent.SCHEMA,
            schema={"type": "string", "enum": sorted(codes)},
            object=OmacheSchema,
        )
        self.registry.register_on_missing(component)
        for status, answer in errors.items():
            code: dict[str, Any] = component.ref
            if takes_code and status == "400":
                sentences = {"type": "array", "items": {"type": "string"}}
                code = {"anyOf": [component.ref, sentences]}
            with_code = {"type": "object", "properties": {"code": code}}
            for media in answer["content"].values():
                media["schema"] = {"allOf": [media["schema"], with_code]}

    def _add_headers(self, status: str, answer: dict[str, Any]) -> None:
        names = ["X-Request-ID", *_OF_STATUS.get(status, ())]
        if status >= "400":
            names.append("Content-Language")
        elif self.method == "GET" and status == "200" and self._is_public():
            names += ["ETag", "Cache-Control"]
        headers = answer.setdefault("headers", {})
        for name in names:
            headers.setdefault(name, _header(name))

    def _fields_of(self, media: dict[str, Any]) -> dict[str, Any]:
        """The fields of a body, by name."""
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        described = self.registry._components.get((name, ResolvedComponent.SCHEMA))
        fields: dict[str, Any] = described.schema.get("properties", {}) if described else {}
        return fields

    def _part_by_type(self, content: dict[str, Any]) -> None:
        """Describe a body with files once as JSON, without files, and once as a form."""
        for media_type, media in content.items():
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            described = self.registry._components.get((name, ResolvedComponent.SCHEMA))
            if described is None or not any(map(has_file, described.schema["properties"].values())):
                continue
            own = as_form(described.schema) if media_type == _FORM else as_json(described.schema)
            suffix = "Form" if media_type == _FORM else "Json"
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=f"{name.removesuffix('Request')}{suffix}Request",
                type=ResolvedComponent.SCHEMA,
                schema=own,
                object=described.object,
            )
            self.registry.register_on_missing(component)
            media["schema"] = component.ref


def _split_summary(operation: dict[str, Any]) -> None:
    """Use the first sentence of the description as the summary, if there is none."""
    match = OmacheSchema._summaries.match(operation.get("description", ""))
    if "summary" in operation or match is None:
        return
    operation["summary"] = " ".join(match[1].split())
    operation["description"] = operation["description"][match.end() :].strip()
    if not operation["description"]:
        del operation["description"]


def _unreadable() -> OpenApiResponse:
    return OpenApiResponse(
        InputError,
        description=_BAD_INPUT.description,
        examples=[*_BAD_INPUT.examples, *_UNREADABLE],
    )


def _add_examples(answer: dict[str, Any], shared: dict[str, Any]) -> None:
    """Add the shared error examples to a response described by a view."""
    for media_type, media in shared.get("content", {}).items():
        own = answer.get("content", {}).get(media_type)
        if own is None:
            continue
        for name, example in media.get("examples", {}).items():
            # Field errors are shown by the view itself.
            if "code" in example["value"] or "examples" not in own:
                own.setdefault("examples", {}).setdefault(name, example)


def _codes_in(answer: dict[str, Any]) -> Iterator[str]:
    for media in answer["content"].values():
        for example in media.get("examples", {}).values():
            value = example["value"]
            if isinstance(value, dict) and isinstance(value.get("code"), str):
                yield value["code"]


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _is_nested_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
