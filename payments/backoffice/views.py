"""The console and the dashboard: pages of the admin about money, and about the shop.

The console lists what needs a person, and has a page for each row: its timeline and its buttons.
Who may look at receipts may look; who may decide about money may act.
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
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.backoffice.actions import FASTER, ReasonForm, perform
from accounts.models import User
from omachemainproj.api.errors import Refusal
from payments.models import Receipt

from .actions import ACTING, KINDS, LOOKING, record_payment
from .dashboard import panels_for
from .forms import SeenPaymentForm
from .order_suggestions import suggest_orders
from .queues import count_unsolicited, load_queues
from .timeline import build_timeline

may_look = permission_required(LOOKING, raise_exception=True)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show each panel to those who hold its permission; 403 for those who hold none."""
    panels = panels_for(request.user)
    if not panels:
        raise PermissionDenied
    now = timezone.now()
    return _render(
        request,
        "dashboard",
        title="How the shop is doing",
        now=now,
        panels=[(panel, panel.read(now)) for panel in panels],
    )


@require_safe
@may_look
def console(request: HttpRequest) -> HttpResponse:
    """Show what needs a person."""
    return _show_console(request, SeenPaymentForm(auto_id="write-%s"))


@require_POST
def write_receipt(request: HttpRequest) -> HttpResponse:
    """Record a payment that a person has seen."""
    by = _who_acts(request)
    form = SeenPaymentForm(request.POST, auto_id="write-%s")
    if not form.is_valid():
        return _show_console(request, form, status=400)
    try:
        receipt = record_payment(form.cleaned_data, by=by)
    except (Refusal, IntegrityError) as error:
        messages.error(request, _reason(error))
        return redirect("console")
    messages.success(request, f"{receipt} is written down.")
    return redirect("console-timeline", kind="receipt", pk=receipt.pk)


@require_safe
@may_look
def timeline(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Show what happened to a row's money, and what may be done about it."""
    return _show_timeline(request, kind, _row(kind, pk), {})


@require_POST
def act(request: HttpRequest, kind: str, pk: int, key: str) -> HttpResponse:
    """Do an action with a row."""
    by = _who_acts(request)
    row = _row(kind, pk)
    action = KINDS[kind].actions.get(key)
    if action is None:
        raise Http404
    form = action.form(request.POST, auto_id=f"{key}-%s")
    form.adapt_to([row], by)
    if not form.is_valid():
        return _show_timeline(request, kind, row, {key: form}, status=400)
    try:
        messages.success(request, perform(action, row, form.cleaned_data, by=by) or action.label)
    except (Refusal, IntegrityError) as error:
        messages.error(request, _reason(error))
    return redirect("console-timeline", kind=kind, pk=pk)


def _reason(error: Refusal | IntegrityError) -> str:
    return str(error) if isinstance(error, Refusal) else f"{FASTER} before you decide."


def _show_console(
    request: HttpRequest, form: SeenPaymentForm, *, status: int = 200
) -> HttpResponse:
    waiting, known = load_queues()
    return _render(
        request,
        "console",
        title="What needs you",
        status=status,
        waiting=[view for view in waiting if view.count],
        known=[view for view in known if view.count],
        quiet=[view for view in waiting if not view.count],
        count=sum(view.count for view in waiting),
        unsolicited=count_unsolicited(),
        write=form,
    )


def _show_timeline(
    request: HttpRequest,
    kind: str,
    row: Model,
    filled: dict[str, ReasonForm],
    *,
    status: int = 200,
) -> HttpResponse:
    """Show a row's page, with a form of each action it offers; ``filled`` are those to correct."""
    offered = {key: each for key, each in KINDS[kind].actions.items() if each.applies(row)}
    typed = {"reference": request.GET.get("reference", "")[:40]}
    forms = []
    if request.user.has_perm(ACTING):
        for key, action in offered.items():
            form = filled.get(key) or action.form(initial=typed, auto_id=f"{key}-%s")
            forms.append((key, action, form))
    is_unmatched = isinstance(row, Receipt) and "give" in offered
    return _render(
        request,
        "timeline",
        title=f"{kind.capitalize()}: {row}",
        status=status,
        row=row,
        kind=kind,
        offered=offered,
        forms=forms,
        entries=build_timeline(row),
        suggestions=suggest_orders(row) if is_unmatched and isinstance(row, Receipt) else [],
    )


def _render(
    request: HttpRequest, page: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "may_act": request.user.has_perm(ACTING),
    }
    return render(request, f"admin/payments/{page}.html", {**shared, **context}, status=status)


def _row(kind: str, pk: int) -> Model:
    if kind not in KINDS:
        raise Http404
    return get_object_or_404(KINDS[kind].model, pk=pk)


def _who_acts(request: HttpRequest) -> User:
    """Who asks, if they may look and act. Raises PermissionDenied."""
    person = request.user
    if not isinstance(person, User) or not person.has_perms((LOOKING, ACTING)):
        raise PermissionDenied
    return person
