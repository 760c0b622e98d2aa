"""The API's description says of every operation what a client needs; tests/description.py holds the
answers of all tests against it."""

import pytest

from tests.description import description

METHODS = {"get", "post", "put", "patch", "delete"}
#: Bytes, of which an example would show nothing.
_PICTURES = "image/"


OPERATIONS = [
    (path, operation)
    for path, methods in description()["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


def every(found):
    """Where something is missing, by operation."""
    return {
        operation["operationId"]: said for _, operation in OPERATIONS if (said := found(operation))
    }


def resolved(node):
    while "$ref" in node:
        part = description()
        for step in node["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        node = part
    return node


def shown(media):
    return [resolved(example)["value"] for example in media.get("examples", {}).values()]


def test_every_operation_has_a_summary_and_a_tag_that_is_explained():
    tags = {tag["name"] for tag in description()["tags"]}

    assert every(lambda operation: not operation.get("summary")) == {}
    assert every(lambda operation: {*operation["tags"]} - tags) == {}


def test_every_body_and_every_answer_has_an_example():
    def missing(operation):
        bodies = operation.get("requestBody", {}).get("content", {})
        done = [
            media
            for status, answer in operation["responses"].items()
            if status < "300"
            for kind, media in answer.get("content", {}).items()
            if not kind.startswith(_PICTURES)
        ]
        return [media["schema"] for media in (*bodies.values(), *done) if not shown(media)]

    assert every(missing) == {}


def test_every_error_has_a_code_of_its_operations_one_enum():
    def wrong(operation):
        name = "".join(part.capitalize() for part in operation["operationId"].split("_"))
        codes = description()["components"]["schemas"][f"{name}ErrorCode"]["enum"]
        errors = [answer for status, answer in operation["responses"].items() if status >= "400"]
        media = [answer["content"]["application/json"] for answer in errors]
        examples = [value for each in media for value in shown(each)]
        said = {value["code"] for value in examples if isinstance(value.get("code"), str)}
        named = [str(each["schema"]["allOf"][1]["properties"]["code"]) for each in media]
        return {*codes} ^ said or not all(f"/{name}ErrorCode" in each for each in named)

    assert every(wrong) == {}


def test_the_shop_may_be_busy_anywhere_and_a_body_may_be_one_that_cannot_be_read():
    def wrong(operation):
        missing = {"400", "503"} - operation["responses"].keys()
        if "requestBody" in operation:
            missing |= {"413"} - operation["responses"].keys()
        return missing

    assert every(wrong) == {}


def test_ids_are_whole_numbers():
    def wrong(operation):
        return [
            each["name"]
            for each in operation.get("parameters", [])
            if each["in"] == "path"
            and each["name"].endswith("_id")
            and "integer" not in str(each["schema"])
        ]

    assert every(wrong) == {}


def test_files_are_sent_in_forms_alone():
    def wrong(operation):
        content = operation.get("requestBody", {}).get("content", {})
        as_json = content.get("application/json", {"schema": {}})["schema"]
        form = content.get("multipart/form-data")
        no_file = form is not None and "binary" not in str(resolved(form["schema"]))
        return "binary" in str(resolved(as_json)) or no_file

    assert every(wrong) == {}


def test_errors_of_fields_are_one_type_that_nests():
    schemas = description()["components"]["schemas"]
    itself = {"$ref": "#/components/schemas/FieldErrors"}

    nested = schemas["FieldErrors"]["additionalProperties"]["anyOf"]

    assert itself in nested
    assert {"type": "array", "items": itself} in nested
    assert {"type": "array", "items": {"type": "string"}} in nested
    assert schemas["InputError"]["additionalProperties"] == {"anyOf": nested}
    assert schemas["InputError"]["properties"]["codes"]["$ref"] == itself["$ref"]


def test_the_webhooks_are_described_under_a_tag_of_their_own():
    assert {path for path, operation in OPERATIONS if operation["tags"] == ["webhooks"]} == {
        "/safwebhook/",
        "/safwebhook/{token}/",
        "/safwebhook/c2b/{token}/confirmation/",
        "/safwebhook/c2b/{token}/validation/",
        "/safwebhook/bank/{bank}/",
    }


def test_names_of_parts_are_read_as_what_they_are():
    names = description()["components"]["schemas"].keys()

    assert not [name for name in names if name.startswith(("Paginated", "Patched", "Null"))]
    assert not [name for name in names if name.endswith("Request")]


def test_the_cart_takes_the_bare_list():
    body = description()["paths"]["/cart/"]["post"]["requestBody"]["content"]["application/json"]

    assert [each["type"] for each in body["schema"]["oneOf"]] == ["array", "object"]
    assert [41, 7] in shown(body)


@pytest.mark.parametrize(
    "name", ["X-Request-ID", "Retry-After", "Content-Language", "ETag", "Link"]
)
def test_the_headers_of_answers_are_described_once(name):
    assert name in description()["components"]["headers"]
    used = str(description()["paths"])
    assert f"'#/components/headers/{name}'" in used
