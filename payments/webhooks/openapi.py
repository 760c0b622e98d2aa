"""OpenAPI descriptions of the webhooks, which are not views of the API."""

from __future__ import annotations

from typing import Any

_ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}
_CALLBACK = {
    "Body": {
        "stkCallback": {
            "MerchantRequestID": "29115-34620561-1",
            "CheckoutRequestID": "ws_CO_191220191020363925",
            "ResultCode": 1032,
            "ResultDesc": "Request cancelled by user.",
        }
    }
}
_PAID_IN = {
    "TransactionType": "Pay Bill",
    "TransID": "SKJ31H5QZ7",
    "TransTime": "20261124081500",
    "TransAmount": "3700.00",
    "BusinessShortCode": "174379",
    "BillRefNumber": "PR7KWQ4M",
    "MSISDN": "254712345678",
}
_ANSWER = {
    "type": "object",
    "description": "The part of an answer that M-Pesa reads.",
    "required": ["ResultCode", "ResultDesc"],
    "properties": {
        "ResultCode": {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "description": "0: accepted. A refusal has one of Daraja's, like `C2B00012`.",
        },
        "ResultDesc": {"type": "string"},
    },
}
_REFUSED = {
    "400": ("The body is incomplete.", "bad_request", "The body is incomplete. Post it again."),
    "405": ("Only POST is allowed.", "method_not_allowed", "M-Pesa posts here."),
    "413": ("Too large.", "too_large", "The body is larger than 64 kB."),
    "503": ("Unavailable.", "busy", "This cannot be stored right now. Post it again."),
}
_STRANGERS = {
    "429": (
        "Too much was posted to unknown addresses.",
        "throttled",
        "Too much came from your address.",
    )
}
_NOT_OURS = {"404": ("Not one of our addresses.", "not_found", "There is nothing here.")}
_NOT_THE_BANK = {
    "401": ("Not the bank.", "not_the_bank", "Name and password are not those of the bank."),
    "404": ("No such bank.", "not_found", "There is nothing at this address."),
}
_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "The secret part of the URL, as it was given to M-Pesa.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}
_BANK = {
    "name": "bank",
    "in": "path",
    "required": True,
    "description": "The key of a registered bank.",
    "schema": {"type": "string", "example": "equity"},
}

_HOW_STORED = (
    "The body is stored as received, answered, and processed after the answer was sent. It is not "
    "trusted just because it was posted: amounts, ids and receipts must match, or M-Pesa is "
    "queried."
)


def describe_webhooks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the webhooks' paths. A post-processing hook of drf-spectacular."""
    schemas = result["components"]["schemas"]
    schemas["WebhookAnswer"] = _ANSWER
    for path, name, summary, text, parameters, example, more_errors in _ENDPOINTS:
        refused = {**_REFUSED, **more_errors}
        code = f"{''.join(part.capitalize() for part in name.split('_'))}ErrorCode"
        schemas[code] = {"type": "string", "enum": sorted({each[1] for each in refused.values()})}
        operation: dict[str, Any] = {
            "operationId": name,
            "summary": summary,
            "description": text,
            "tags": ["webhooks"],
            "security": [{"bank": []}] if "401" in refused else [],
            "parameters": parameters,
            "requestBody": {
                "description": "Any body, at most 64 kB.",
                "content": {
                    "application/json": {"schema": {}, "examples": {"sent": {"value": example}}}
                },
            },
            "responses": {
                "200": {
                    "description": "Accepted.",
                    "headers": _HEADERS,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/WebhookAnswer"},
                            "examples": {"accepted": {"value": _ACCEPTED}},
                        }
                    },
                },
                **{status: _refusal(code, *detail) for status, detail in sorted(refused.items())},
            },
        }
        if not parameters:
            del operation["parameters"]
        result["paths"][path] = {"post": operation}
    result["components"]["securitySchemes"]["bank"] = {
        "type": "http",
        "scheme": "basic",
        "description": "The user name and password that were given to the bank.",
    }
    return result


_HEADERS = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


def _refusal(enum: str, description: str, code: str, detail: str) -> dict[str, Any]:
    waits = (
        {"Retry-After": {"$ref": "#/components/headers/Retry-After"}} if code == "throttled" else {}
    )
    return {
        "description": description,
        "headers": {**_HEADERS, **waits},
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/DetailError"},
                        {
                            "type": "object",
                            "properties": {"code": {"$ref": f"#/components/schemas/{enum}"}},
                        },
                    ]
                },
                "examples": {code: {"value": {"detail": detail, "code": code}}},
            }
        },
    }


#: Path, operation id, summary, description, parameters, example, and additional errors.
_ENDPOINTS: tuple[Any, ...] = (
    (
        "/safwebhook/",
        "receive_callback",
        "Receive a callback without a token",
        f"{_HOW_STORED} A callback to this URL counts only if a status query confirms it.",
        [],
        _CALLBACK,
        _STRANGERS,
    ),
    (
        "/safwebhook/{token}/",
        "receive_callback_of_transfer",
        "Receive the result of a prompt, a refund or a payout",
        _HOW_STORED,
        [_TOKEN],
        _CALLBACK,
        _STRANGERS,
    ),
    (
        "/safwebhook/c2b/{token}/confirmation/",
        "receive_c2b_confirmation",
        "Receive the confirmation of a manual payment",
        _HOW_STORED,
        [_TOKEN],
        _PAID_IN,
        _STRANGERS,
    ),
    (
        "/safwebhook/c2b/{token}/validation/",
        "validate_c2b_payment",
        "Validate a manual payment",
        "Called before the money moves, and answered within eight seconds. Nothing is stored.",
        [_TOKEN],
        _PAID_IN,
        _NOT_OURS,
    ),
    (
        "/safwebhook/bank/{bank}/",
        "receive_bank_notification",
        "Receive a bank's notification of a payment",
        _HOW_STORED,
        [_BANK],
        {"transactionReference": "S4471822", "amount": "3700", "billNumber": "PR7KWQ4M"},
        {**_STRANGERS, **_NOT_THE_BANK},
    ),
)
