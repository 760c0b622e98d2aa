"""What every operation's OpenAPI description has in common, written here and in no view.

Views describe their inputs and outputs with ``extend_schema``, and what they refuse with
``error_answer``, ``refusals`` and ``field_errors``. Added here: the errors that any of them can
answer, one enum of an operation's codes made of all of these, the headers of answers, and bodies
with files apart for JSON and for forms. The shape of errors is that of docs/languages.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from .errors import Busy, Refusal
from .handlers import Conflict

_UNSAFE = frozenset({"POST", "PUT", "PATCH"})
_CHANGING = _UNSAFE | {"DELETE"}
_FILE = "binary"
_FORM = "multipart/form-data"


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


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """``Authorization: Bearer <access token>``."""

    target_class = "accounts.authentication.JWTAuthentication"
    name = "bearer"


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
    return OpenApiResponse(DetailError, description=detail, examples=[_example(detail, code)])


def refusals(*classes: type[Refusal]) -> OpenApiResponse:
    """Return the description of an answer that says one of these refusals, an example each."""
    examples = [_example(each.message, each.code) for each in classes]
    return OpenApiResponse(
        DetailError, description=" ".join(each.message for each in classes), examples=examples
    )


def field_errors(description: str, **examples: dict[str, Any]) -> OpenApiResponse:
    """Return the description of an answer 400 about fields, with these examples by their names."""
    shown = [OpenApiExample(name, value=value) for name, value in examples.items()]
    return OpenApiResponse(InputError, description=description, examples=shown)


def _example(detail: str, code: str) -> OpenApiExample:
    return OpenApiExample(code, value={"detail": detail, "code": code})


_BAD_INPUT = field_errors(
    "Something in the input is wrong.", missing={"field": ["This field is required."]}
)
_BAD_ADDRESS = field_errors(
    "A parameter is wrong, or there is none of that name.",
    unknown={"page_seize": ["There is no such parameter here. There are none."]},
)
#: Of a body that cannot be read at all.
_UNREADABLE = (
    _example("The body is not JSON: Expecting value.", "parse_error"),
    _example("The body broke off. Send it again.", "body_broke_off"),
)
_NO_TOKEN = OpenApiResponse(
    TokenError,
    description="There is no access token, or it opens nothing.",
    examples=[
        _example("Authentication credentials were not provided.", "not_authenticated"),
        OpenApiExample(
            "token_expired",
            value={
                "detail": "This token has expired. Renew it at /token/refresh/, or sign in again.",
                "code": "token_not_valid",
                "reason": "token_expired",
                "renew": "/token/refresh/",
            },
        ),
        _example("The person this token was given to is gone.", "user_not_found"),
        _example("This account is closed.", "user_inactive"),
        _example("The password was changed after this token was given out.", "password_changed"),
        _example("You were signed out. Sign in again.", "session_ended"),
    ],
)
_TOO_LARGE = error_answer(
    f"The body is larger than {settings.JSON_BODY_MAX // 1024} kB.", "too_large"
)
_WRONG_TYPE = OpenApiResponse(
    DetailError,
    description="The body is of no type that is read here.",
    examples=[
        _example('Unsupported media type "text/plain" in request.', "unsupported_media_type"),
        _example("Send UTF-8.", "charset"),
    ],
)
_TOO_MANY = error_answer("Request was throttled. Expected available in 12 seconds.", "throttled")
_BUSY = error_answer(str(Busy.default_detail), Busy.default_code)
_CHANGED = error_answer(str(Conflict.default_detail), Conflict.default_code)

#: Which of the headers of description.py answers with a status have.
_OF_STATUS = {
    "401": ("WWW-Authenticate",),
    "409": ("Retry-After",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
    "304": ("ETag",),
}


class OmacheSchema(AutoSchema):
    """Adds to each operation what its view need not say."""

    _summaries: ClassVar[re.Pattern[str]] = re.compile(r"(.+?)\.(?:\s|$)", re.DOTALL)

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        _split_summary(operation)
        operation.setdefault("security", [])
        body = operation.get("requestBody", {}).get("content", {})
        # Where the input has a field of that name, its errors stand under it.
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
        # Never seen: a page is a plain array (_get_response_for_code).
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
                # One that shows a whole list was taken for a row of it.
                if media["schema"].get("type") == "array" and _is_twice_a_list(example["value"]):
                    example["value"] = example["value"][0]
        return answer

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        described: dict[str, Any] = super()._map_basic_serializer(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        # A field of a model may be left out of an input, and is there in every answer.
        asked = force_instance(serializer)  # type: ignore[no-untyped-call]
        if direction == "response" and isinstance(asked, serializers.ModelSerializer):
            optional = asked._declared_fields if type(asked).__name__.endswith("Output") else {}
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
        """Those that the view gives, or the ``example`` of the serializer, as it is answered or,
        where it has an ``example_sent``, as it is sent."""
        given = super()._get_examples(  # type: ignore[no-untyped-call]
            serializer, direction, media_type, status_code, extras
        )
        asked = getattr(serializer, "child", serializer)
        own = getattr(asked, "example", None)
        if direction == "request":
            own = getattr(asked, "example_sent", own)
        if given or own is None:
            return given
        example = OpenApiExample("example", value=own)
        return super()._get_examples(  # type: ignore[no-untyped-call]
            serializer, direction, media_type, status_code, [example]
        )

    # --- Errors -----------------------------------------------------------------------------------

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
        # Any address can be one that cannot be read, and any list's page can be misspelt.
        errors: dict[str, OpenApiResponse] = {"400": _BAD_ADDRESS, "503": _BUSY}
        if self.method in _UNSAFE:
            errors |= {"400": _unreadable(), "413": _TOO_LARGE, "415": _WRONG_TYPE}
        if self.method in _CHANGING and not getattr(self.view, "is_compressible", False):
            errors["409"] = _CHANGED
        if self.method not in _UNSAFE and self._is_public():
            errors["304"] = OpenApiResponse(description="You have it: nothing has changed.")
        permissions = self.view.get_permissions()
        if permissions and not all(isinstance(item, AllowAny) for item in permissions):
            errors["401"] = _NO_TOKEN
        if getattr(self.view, "throttle_scope", None):
            errors["429"] = _TOO_MANY
        return errors

    def _is_public(self) -> bool:
        """Whether caches may keep the answer (omachemainproj.answers)."""
        lets_in = all(isinstance(item, AllowAny) for item in self.view.get_permissions())
        return lets_in and not getattr(self.view, "is_private", False)

    def _name_codes(self, operation: dict[str, Any], *, takes_code: bool) -> None:
        """Say in every error answer which codes the operation has, by one enum of its own."""
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
            said = {"type": "object", "properties": {"code": code}}
            for media in answer["content"].values():
                media["schema"] = {"allOf": [media["schema"], said]}

    # --- Headers ----------------------------------------------------------------------------------

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
        """What a body has, by name."""
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        described = self.registry._components.get((name, ResolvedComponent.SCHEMA))
        fields: dict[str, Any] = described.schema.get("properties", {}) if described else {}
        return fields

    # --- Bodies with files ------------------------------------------------------------------------

    def _part_by_type(self, content: dict[str, Any]) -> None:
        """Describe a body that may have files once as JSON, which has none, and once as a form."""
        for media_type, media in content.items():
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            described = self.registry._components.get((name, ResolvedComponent.SCHEMA))
            if described is None or not any(
                map(_has_file, described.schema["properties"].values())
            ):
                continue
            own = _as_form(described.schema) if media_type == _FORM else _as_json(described.schema)
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
    """Without a summary of its own, an operation's first sentence is it."""
    found = OmacheSchema._summaries.match(operation.get("description", ""))
    if "summary" in operation or found is None:
        return
    operation["summary"] = " ".join(found[1].split())
    operation["description"] = operation["description"][found.end() :].strip()
    if not operation["description"]:
        del operation["description"]


def _unreadable() -> OpenApiResponse:
    return OpenApiResponse(
        InputError,
        description=_BAD_INPUT.description,
        examples=[*_BAD_INPUT.examples, *_UNREADABLE],
    )


def _add_examples(answer: dict[str, Any], shared: dict[str, Any]) -> None:
    """Give an answer that a view describes the examples of errors that any view has."""
    for media_type, media in shared.get("content", {}).items():
        own = answer.get("content", {}).get(media_type)
        if own is None:
            continue
        for name, example in media.get("examples", {}).items():
            # What is wrong with its fields a view shows itself.
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


def _is_twice_a_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _has_file(described: dict[str, Any]) -> bool:
    return described.get("format") == _FILE or described.get("items", {}).get("format") == _FILE


def _as_form(described: dict[str, Any]) -> dict[str, Any]:
    """The same body as a form: nothing in it is null, and an empty text takes a file away."""
    own = deepcopy(described)
    for name, field in own["properties"].items():
        kind = field.get("type")
        may_be_null = isinstance(kind, list) and "null" in kind
        if may_be_null:
            field["type"] = next(each for each in kind if each != "null")
        if may_be_null and field.get("format") == _FILE:
            text = field.pop("description", "")
            file = {"type": "string", "format": _FILE}
            own["properties"][name] = {"anyOf": [file, {"const": ""}], "description": text}
    return own


def _as_json(described: dict[str, Any]) -> dict[str, Any]:
    """The same body as JSON, where a file can be none at all, and a list of them cannot be."""
    own = deepcopy(described)
    for name, field in [*own["properties"].items()]:
        if not _has_file(field):
            continue
        if field.get("type") == "array" or name in own.get("required", ()):
            del own["properties"][name]
            own["required"] = [each for each in own.get("required", ()) if each != name]
        else:
            own["properties"][name] = {
                "type": ["string", "null"],
                "description": 'None: `null` or `""`. A picture is sent in a form.',
            }
    if not own.get("required"):
        own.pop("required", None)
    return own
