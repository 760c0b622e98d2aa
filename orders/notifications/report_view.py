"""The webhook for Africa's Talking's delivery reports: form posts to a secret address."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from omachemainproj.sms.reports import UnreadableReport, read_report

from .reports import record_report

logger = logging.getLogger(__name__)

#: Bytes. A report has about two hundred.
MAX_BODY = 8 * 1024


@csrf_exempt
def receive_report(request: HttpRequest, token: str) -> HttpResponse:
    """Store a delivery report. Answers 404 to anyone who does not know the secret address.

    A report that is already stored, or about no message of ours, is answered as if it were new:
    the provider could do nothing about it. 400 for a body that is not a report, 413 above 8 kB.
    """
    secret = settings.AFRICASTALKING_REPORTS_TOKEN
    if not secret or not constant_time_compare(token, secret):
        return _answer("There is nothing here.", "not_found", 404)
    if request.method != "POST":
        refused = _answer("Use POST to send a delivery report.", "method_not_allowed", 405)
        refused["Allow"] = "POST"
        return refused
    try:
        body = request.body
    except RequestDataTooBig:
        body = b"-" * (MAX_BODY + 1)
    except OSError:
        return _answer("The body is incomplete. Post it again.", "bad_request", 400)
    if len(body) > MAX_BODY:
        return _answer("The body is larger than 8 kB.", "too_large", 413)
    try:
        record_report(read_report(body))
    except UnreadableReport as error:
        logger.warning("a delivery report could not be read: %s", error)
        return _answer(f"This is not a delivery report. {error}", "report_unreadable", 400)
    return JsonResponse({"detail": "Stored."})


def _answer(detail: str, code: str, status: int) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status)
