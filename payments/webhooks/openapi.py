"""OpenAPI descriptions of where M-Pesa and the banks post. These are no views of the API's."""

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
    "description": "What M-Pesa reads of an answer.",
    "required": ["ResultCode", "ResultDesc"],
    "properties": {
        "ResultCode": {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "description": "0: taken. A validation refuses with one of Daraja's, like `C2B00012`.",
        },
        "ResultDesc": {"type": "string"},
    },
}
_REFUSED = {
    "400": ("The body broke off.", "bad_request", "The body broke off. Post it again."),
    "405": ("Only posted to.", "method_not_allowed", "M-Pesa posts here."),
    "413": ("Too large.", "too_large", "The body is larger than 64 kB."),
    "503": ("Not now.", "busy", "This cannot be kept right now. Post it again."),
}
_STRANGERS = {
    "429": ("Too much came to nobody's address.", "throttled", "Too much came from your address.")
}
_NOT_OURS = {"404": ("No address of ours.", "not_found", "There is nothing here.")}
_NOT_THE_BANK = {
    "401": ("Not the bank.", "not_the_bank", "Name and password are not those of the bank."),
    "404": ("No such bank.", "not_found", "There is nothing at this address."),
}
_TOKEN = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "The secret of the address, as it was given to M-Pesa.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}
_BANK = {
    "name": "bank",
    "in": "path",
    "required": True,
    "description": "The key of a bank that is registered.",
    "schema": {"type": "string", "example": "equity"},
}

_KEPT = (
    "The body is kept as it came, answered, and processed when the answer has been sent. Nothing "
    "of it is believed because it was posted: amounts, ids and receipts must agree, or M-Pesa is "
    "asked."
)


def describe_webhooks(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the webhooks' addresses. A hook of drf-spectacular's."""
    schemas = result["components"]["schemas"]
    schemas["WebhookAnswer"] = _ANSWER
    for path, name, summary, text, parameters, example, besides in _DOORS:
        refused = {**_REFUSED, **besides}
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
                "description": "Whatever is sent, at most 64 kB.",
                "content": {
                    "application/json": {"schema": {}, "examples": {"sent": {"value": example}}}
                },
            },
            "responses": {
                "200": {
                    "description": "Taken.",
                    "headers": _HEADERS,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/WebhookAnswer"},
                            "examples": {"accepted": {"value": _ACCEPTED}},
                        }
                    },
                },
                **{status: _refusal(code, *said) for status, said in sorted(refused.items())},
            },
        }
        if not parameters:
            del operation["parameters"]
        result["paths"][path] = {"post": operation}
    result["components"]["securitySchemes"]["bank"] = {
        "type": "http",
        "scheme": "basic",
        "description": "The name and the password that were given to the bank.",
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


#: Address, operation, summary, description, parameters, what is sent, and what else refuses it.
_DOORS: tuple[Any, ...] = (
    (
        "/safwebhook/",
        "receive_callback",
        "A callback to no secret address",
        f"{_KEPT} What comes here is believed only when the status query says the same.",
        [],
        _CALLBACK,
        _STRANGERS,
    ),
    (
        "/safwebhook/{token}/",
        "receive_callback_of_transfer",
        "How a prompt, a refund or a payout ended",
        _KEPT,
        [_TOKEN],
        _CALLBACK,
        _STRANGERS,
    ),
    (
        "/safwebhook/c2b/{token}/confirmation/",
        "receive_c2b_confirmation",
        "Money was paid by hand",
        _KEPT,
        [_TOKEN],
        _PAID_IN,
        _STRANGERS,
    ),
    (
        "/safwebhook/c2b/{token}/validation/",
        "validate_c2b_payment",
        "May money be paid by hand?",
        "Asked before the money moves, and answered within eight seconds. Nothing is kept.",
        [_TOKEN],
        _PAID_IN,
        _NOT_OURS,
    ),
    (
        "/safwebhook/bank/{bank}/",
        "receive_bank_notification",
        "Money came to our account at a bank",
        _KEPT,
        [_BANK],
        {"transactionReference": "S4471822", "amount": "3700", "billNumber": "PR7KWQ4M"},
        {**_STRANGERS, **_NOT_THE_BANK},
    ),
)
