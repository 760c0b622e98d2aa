"""Africa's Talking's SMS API: ``POST /version1/messaging``. Messages appear on the phones here.

Source: http://docs.africastalking.com/sms/sending/python (the form, the response, its codes), and
http://docs.africastalking.com/sms/deliveryreports (the delivery reports).
"""

import hmac
from urllib.parse import parse_qs

from . import ids
from .behaviour import Script
from .callback_client import Callback
from .callback_dispatch import CallbackVariants
from .faults import answer_as_scripted, refuse_as_scripted
from .wire import JSON, Reply, Request, json_reply
from .world import World

#: The names of recipients' status codes, as in the documentation.
STATUSES = {
    100: "Processed",
    101: "Success",
    102: "Queued",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}
#: The status codes with which a message is sent.
_SENT = {100, 101, 102}
#: Final report statuses of an SMS that was not delivered.
_UNDELIVERED = {"Rejected", "Failed"}
#: The network code of Safaricom in reports.
_SAFARICOM = "63902"
#: Seconds until the "Sent" report and until the final report of an SMS.
_LEAVES_AFTER, _ENDS_AFTER = 0.2, 0.6
#: The sender of an SMS that names none.
_USUAL_SENDER = "AFRICASTKNG"


def send(world: World, request: Request) -> Reply:
    """Accept an SMS to one or more phones. A script's ``outcome`` is every recipient's status."""
    config = world.config
    form = _form(request)
    key = request.headers.get("apikey", "")
    is_authenticated = hmac.compare_digest(key.encode(), config.sms_api_key.encode())
    if not is_authenticated or form.get("username") != config.sms_username:
        return Reply(401, b"The supplied authentication is invalid", "text/plain")
    missing = [name for name in ("to", "message") if not form.get(name)]
    if missing:
        message = f"Request is missing required form field '{missing[0]}'"
        return Reply(400, message.encode(), "text/plain")
    phones = [number.strip() for number in form["to"].split(",")]
    script = world.scripts.pick("sms", phone=phones[0].removeprefix("+"))
    if refusal := refuse_as_scripted(world, script):
        return refusal
    outcome = script.outcome or "101"
    code = int(outcome) if outcome.isdigit() else 101
    recipients = [_deliver(world, phone, form, code, script) for phone in phones]
    sent = sum(recipient["statusCode"] in _SENT for recipient in recipients)
    message = f"Sent to {sent}/{len(phones)} Total Cost: KES {0.8 * sent:.4f}"
    answer = {"SMSMessageData": {"Message": message, "Recipients": recipients}}
    return answer_as_scripted(script, json_reply(201, answer))


def _deliver(
    world: World, number: str, form: dict[str, str], code: int, script: Script
) -> dict[str, object]:
    phone = number.removeprefix("+")
    if not (number.startswith("+") and ids.is_msisdn(phone)):
        code = 403
    name = f"ATXid_{ids.access_token()}" if code in _SENT else "None"
    if code in _SENT:
        sender = form.get("from") or _USUAL_SENDER
        arrives = script.report not in _UNDELIVERED
        if arrives:
            world.handsets.send_sms(phone, form["message"], paid=True, sender=sender)
        _report(world, phone, name, script)
    world.events.add("sms", phone=phone, status_code=code, text=form["message"])
    return {
        "statusCode": code,
        "number": number,
        "status": STATUSES.get(code, "Unknown"),
        "cost": "KES 0.8000" if code in _SENT else "0",
        "messageId": name,
    }


def _report(world: World, phone: str, name: str, script: Script) -> None:
    """Post the delivery reports of an SMS: that it was sent, and its final status."""
    url = world.config.sms_reports_url
    if not url:
        return

    def post(status: str, reason: str = "") -> None:
        body = {
            "id": name,
            "status": status,
            "phoneNumber": f"+{phone}",
            "networkCode": _SAFARICOM,
            "retryCount": "0",
        }
        if reason:
            body["failureReason"] = reason
        callback = Callback(
            channel="sms_report", url=url, body=body, about={"phone": phone}, is_form=True
        )
        # Duplicates of a report are identical, so there is only a genuine variant.
        world.callback_dispatcher.dispatch(script, CallbackVariants(genuine=callback))

    ends = script.report or "Success"
    reason = script.desc or ("UserIsInactive" if ends in _UNDELIVERED else "")
    if script.callback_before_answer:
        post(ends, reason)
        return
    world.scheduler.add(_LEAVES_AFTER, lambda: post("Sent"))
    world.scheduler.add(_ENDS_AFTER, lambda: post(ends, reason))


def _form(request: Request) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == JSON:
        return {}
    try:
        fields = parse_qs(request.body.decode(), max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}
