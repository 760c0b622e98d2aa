"""Compare every answer in tests with the API description.

Every answer must have a status, and an error a code, that its operation's description lists. The
first few of each kind are validated against their schema: every required field is present, and no
undescribed one.
"""

import json
import re
import threading
from copy import deepcopy
from functools import cache, partial

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from rest_framework.views import APIView

#: Answers per operation and status that a process validates completely.
LOOKED_AT = 5
#: Statuses any address may answer, described once for all.
_ANYWHERE = {404: {"not_found"}, 405: {"method_not_allowed"}, 406: {"not_acceptable"}}
_ANY_CODES = {"bad_address", "bad_request", "server_error"}
_seen = {}


#: Generating the description is not thread-safe: of six concurrent first calls, one failed.
_describing = threading.Lock()


def description():
    with _describing:
        return _description()


@cache
def _description():
    with GENERATOR_STATS.silence():
        return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(autouse=True, scope="session")
def answers_are_as_described():
    """Compare every answer of the API with its description."""
    finish = APIView.finalize_response

    def finalize_response(view, request, response, *args, **kwargs):
        response = finish(view, request, response, *args, **kwargs)
        if request.resolver_match is not None and hasattr(response, "add_post_render_callback"):
            response.add_post_render_callback(partial(check, request))
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(APIView, "finalize_response", finalize_response)
        yield


def check(request, response):
    """Raise AssertionError if an answer is not as described."""
    operation = _operation(request)
    if operation is None:
        return
    where, responses = operation
    status, body = response.status_code, response.content
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    said = json.loads(body) if is_json and body else None
    code = said.get("code") if isinstance(said, dict) and status >= 400 else None
    code = code if isinstance(code, str) else None
    if code in _ANYWHERE.get(status, ()) or code in _ANY_CODES:
        return
    assert str(status) in responses, f"{where} answered {status} {code}, which nothing describes"
    content = responses[str(status)].get("content", {})
    if "application/json" not in content:
        assert said is None, f"{where} answered {status} with JSON, which nothing describes"
        return
    if code is not None:
        assert code in _codes(where), (
            f"{where} answered {status} with the code {code}, which its description does not name:"
            f" add it to what the view refuses (error_answer, refusals, field_errors)"
        )
    if request.GET.get("fields"):
        return
    kind = (where, status, code)
    _seen[kind] = _seen.get(kind, 0) + 1
    if _seen[kind] <= LOOKED_AT:
        errors = [*_validator(where, str(status)).iter_errors(said)]
        told = [f"{'/'.join(map(str, error.path))}: {error.message[:300]}" for error in errors]
        assert not told, f"{where} answered {status} otherwise than described: {told} in {said}"


def _operation(request):
    """The requested operation and its described answers; None if it is not described."""
    path = _path(request.resolver_match.route)
    methods = description()["paths"].get(path, {})
    operation = methods.get(request.method.lower())
    return operation and (f"{request.method} {path}", operation["responses"])


@cache
def _path(route):
    path = "/" + re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", r"{\1\2}", route.strip("^$"))
    return "/product/{product_id}/" if path == "/product/{category}/" else path


@cache
def _codes(where):
    method, path = where.split(" ")
    operation = description()["paths"][path][method.lower()]
    name = "".join(part.capitalize() for part in operation["operationId"].split("_"))
    return {*description()["components"]["schemas"][f"{name}ErrorCode"]["enum"]}


@cache
def _validator(where, status):
    method, path = where.split(" ")
    steps = ("paths", path, method.lower(), "responses", status, "content", "application/json")
    pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in (*steps, "schema"))
    return Draft202012Validator({"$ref": f"urn:shop#/{pointer}"}, registry=_registry())


@cache
def _registry():
    strict = deepcopy(description())
    open_ones = {"DetailError", "InputError", "FieldErrors", "CashoutConflictOutput"}
    for name, schema in strict["components"]["schemas"].items():
        if name not in open_ones and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return Registry().with_resource("urn:shop", Resource(strict, DRAFT202012))
