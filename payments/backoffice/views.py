"""The console: one page of the admin for what needs a person, and a page for each story.

Who may look at receipts may look here; who may decide about money acts.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.backoffice.actions import ReasonForm
from accounts.models import User
from omachemainproj.api.errors import Refusal
from payments.models import Receipt

from .actions import KINDS
from .console import count_unsolicited, load_queues
from .console_actions import LOOKING, PERMISSION, decide, write_down
from .forms import Decision, WriteDown
from .order_suggestions import suggest_orders
from .timeline import build_timeline

NAMES = {
    "order": "Order",
    "stop": "Stop",
    "receipt": "Receipt",
    "attempt": "Attempt",
    "refund": "Refund",
    "payout": "Payout",
    "message": "Message",
}
FASTER = "Somebody else was faster. Look again before you decide."

may_look = permission_required(LOOKING, raise_exception=True)


@require_safe
@may_look
def console(request: HttpRequest) -> HttpResponse:
    """Show what needs a person."""
    return _show_console(request, WriteDown(auto_id="write-%s"))


@require_POST
def write_receipt(request: HttpRequest) -> HttpResponse:
    """Write down a payment that a person has seen."""
    person = _decider(request)
    form = WriteDown(request.POST, auto_id="write-%s")
    if not form.is_valid():
        return _show_console(request, form, status=400)
    try:
        receipt = write_down(form.cleaned_data, by=person)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("console")
    except IntegrityError:
        messages.error(request, FASTER)
        return redirect("console")
    messages.success(request, f"{receipt} is written down.")
    return redirect("console-story", kind="receipt", pk=receipt.pk)


@require_safe
@may_look
def story(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Show what happened to a row's money, and what may be decided about it."""
    return _show_story(request, kind, _row(kind, pk))


@require_POST
def act(request: HttpRequest, kind: str, pk: int, key: str) -> HttpResponse:
    """Decide something about a row, by a service, and record who did it and why."""
    person = _decider(request)
    row = _row(kind, pk)
    decision = _decision(kind, key)
    form = decision.form(request.POST, auto_id=f"{key}-%s")
    if not form.is_valid():
        return _show_story(request, kind, row, refused={key: form}, status=400)
    try:
        messages.success(request, decide(row, decision, form.cleaned_data, by=person))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    except IntegrityError:
        messages.error(request, FASTER)
    return redirect("console-story", kind=kind, pk=pk)


def _show_console(request: HttpRequest, form: WriteDown, *, status: int = 200) -> HttpResponse:
    waiting, known = load_queues()
    return _render(
        request,
        "console",
        title="What needs you",
        status=status,
        waiting=[shown for shown in waiting if shown.count],
        known=[shown for shown in known if shown.count],
        quiet=[shown for shown in waiting if not shown.count],
        count=sum(shown.count for shown in waiting),
        strangers=count_unsolicited(),
        write=form,
    )


def _show_story(
    request: HttpRequest,
    kind: str,
    row: Model,
    *,
    refused: dict[str, ReasonForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    may_decide = request.user.has_perm(PERMISSION)
    offered = [decision for decision in KINDS[kind][1] if decision.applies(row)]
    given = {"reference": request.GET.get("reference", "")[:40]}
    forms = [
        (decision, (refused or {}).get(decision.key) or _blank(decision, given))
        for decision in offered
        if may_decide
    ]
    is_lost = isinstance(row, Receipt) and any(decision.key == "give" for decision in offered)
    return _render(
        request,
        "story",
        title=f"{NAMES[kind]}: {row}",
        status=status,
        row=row,
        kind=kind,
        offered=offered,
        forms=forms,
        moments=build_timeline(row),
        suggestions=suggest_orders(row) if is_lost and isinstance(row, Receipt) else [],
    )


def _blank(decision: Decision, given: dict[str, str]) -> ReasonForm:
    return decision.form(initial=given, auto_id=f"{decision.key}-%s")


def _render(
    request: HttpRequest, page: str, *, status: int, title: str, **context: Any
) -> HttpResponse:
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "may_decide": request.user.has_perm(PERMISSION),
    }
    return render(request, f"admin/payments/{page}.html", {**shared, **context}, status=status)


def _row(kind: str, pk: int) -> Model:
    if kind not in KINDS:
        raise Http404
    return get_object_or_404(KINDS[kind][0], pk=pk)


def _decision(kind: str, key: str) -> Decision:
    for decision in KINDS[kind][1]:
        if decision.key == key:
            return decision
    raise Http404


def _decider(request: HttpRequest) -> User:
    """Who asks, if they may see money and decide about it. Raises PermissionDenied."""
    person = request.user
    if not isinstance(person, User) or not person.has_perms((LOOKING, PERMISSION)):
        raise PermissionDenied
    return person
