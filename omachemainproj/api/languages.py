"""In which of the shop's languages an answer is asked for."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header
from rest_framework.request import Request

Tongue = Literal["en", "sw"]
DEFAULT: Tongue = "en"


def asked_language(request: Request | HttpRequest) -> Tongue:
    """What ``Accept-Language`` prefers of English and Swahili; English where it says neither."""
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if wanted == "*":
            return DEFAULT
        if wanted.split("-")[0] == "sw":
            return "sw"
        if wanted.split("-")[0] == "en":
            return "en"
    return DEFAULT
