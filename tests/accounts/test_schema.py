"""The description of the account endpoints says what they do."""

import pytest

from tests.description import description

PATHS = {
    "/registration/": {"post"},
    "/login/": {"post"},
    "/logout/": {"post"},
    "/token/verify/": {"post"},
    "/token/refresh/": {"post"},
    "/password/change/": {"post"},
    "/password/reset/": {"post"},
    "/password/reset/confirm/": {"post"},
    "/user/": {"get", "put", "patch"},
    "/account/": {"get", "put", "patch"},
}
NEED_A_TOKEN = {"/password/change/", "/user/", "/account/"}


@pytest.fixture(scope="module")
def schema():
    """As the shop builds it; that it is valid OpenAPI, `make lint` sees."""
    return description()


@pytest.mark.parametrize("path", PATHS)
def test_each_endpoint_is_described(schema, path):
    assert set(schema["paths"][path]) == PATHS[path]


@pytest.mark.parametrize("path", PATHS)
def test_each_operation_names_its_errors(schema, path):
    for method, operation in schema["paths"][path].items():
        codes = set(operation["responses"])
        if method != "get":
            assert {"400", "413", "415"} <= codes
        assert ("401" in codes) == (
            path in NEED_A_TOKEN or path in {"/logout/", "/token/verify/", "/token/refresh/"}
        )


@pytest.mark.parametrize("path", PATHS)
def test_the_bearer_token_is_asked_for_where_it_is_needed(schema, path):
    for operation in schema["paths"][path].values():
        needed = path in NEED_A_TOKEN
        assert operation.get("security", [{}]) == ([{"bearer": []}] if needed else [{}])


def test_the_bearer_token_is_explained(schema):
    assert schema["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }


def test_the_account_is_four_fields(schema):
    account = schema["components"]["schemas"]["Account"]

    assert set(account["properties"]) == {"first_name", "last_name", "avatar", "gender"}


@pytest.mark.parametrize("path", ["/registration/", "/login/"])
def test_signing_in_answers_tokens_and_the_user(schema, path):
    code = "201" if path == "/registration/" else "200"

    answer = schema["paths"][path]["post"]["responses"][code]

    assert answer["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/SignedIn"
    }


def test_passwords_are_never_answered(schema):
    for name, component in schema["components"]["schemas"].items():
        if "Input" not in name:
            assert not [field for field in component.get("properties", {}) if "password" in field]
