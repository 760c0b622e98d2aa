"""The console and the dashboard, two pages of the admin.

The console lists the rows that need action, and has a page for each with its timeline and buttons.
Money and problems with goods need different permissions (payments.backoffice.permissions).
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.authentication import current_user
from accounts.backoffice import audit
from accounts.backoffice.actions import CONCURRENT_CHANGE, ReasonForm, page_before, perform
from accounts.backoffice.change_list import COUNT_AT_MOST
from accounts.backoffice.conflicts import find_parties, is_party
from accounts.backoffice.posted_forms import send_back
from accounts.backoffice.proposals import open_about
from accounts.models import Proposal, User
from omachemainproj.api.errors import Refusal
from omachemainproj.csv_files import write_sheet
from orders.models import Problem, ProblemPicture
from orders.problems.views import answer_picture
from payments.models import GatewayEvent, NightlyProof, Receipt, Trouble

from .dashboard.panels import PANELS, panels_for
from .forms import SeenPaymentForm
from .kinds import KINDS, act_name, permissions_for
from .order_suggestions import suggest_orders
from .period import CHOICES, read_period
from .permissions import DECIDE_MONEY, DECIDE_PROBLEMS, VIEW_MONEY, VIEW_PROBLEMS
from .problem_page import describe_problem
from .queues import load_queues, queues_for
from .receipt_actions import record_payment
from .timeline import build_timeline

_DOWNLOADING = "accounts.export_rows"

#: Names of the permissions to act, as the roles' page shows them.
_NEEDED = {
    DECIDE_MONEY: "Can decide about money that waits for a person",
    DECIDE_PROBLEMS: "Can move and cancel any line, with a reason",
}


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show the panels that the user may see; 403 if there are none.

    400 for an invalid period, with the errors and the panels of the default period.
    """
    panels = panels_for(request.user)
    if not panels:
        raise PermissionDenied
    period, form = read_period(request.GET, timezone.now())
    return _render(
        request,
        "dashboard",
        title="How the shop is doing",
        status=400 if form.errors else 200,
        period=period,
        form=form,
        choices=CHOICES.items(),
        may_download=request.user.has_perm(_DOWNLOADING),
        panels=[(panel, panel.read(period)) for panel in panels],
    )


@require_safe
def dashboard_sheet(request: HttpRequest, key: str) -> StreamingHttpResponse:
    """Download the numbers of a panel as CSV. Audited before it is sent.

    Raises PermissionDenied, and Http404 for an unknown panel.
    """
    panel = next((each for each in PANELS if each.key == key), None)
    if not panels_for(request.user) or not request.user.has_perm(_DOWNLOADING):
        raise PermissionDenied
    if panel is None:
        raise Http404
    if not request.user.has_perm(panel.permission):
        raise PermissionDenied
    period, _ = read_period(request.GET, timezone.now())
    sheet = panel.read(period).sheet
    details = {"panel": [None, panel.key], "period": [None, period.words]}
    app, _, codename = panel.permission.partition(".")
    kind = apps.get_model(app, codename.removeprefix("view_"))
    audit.log(
        current_user(request),
        "Downloaded as CSV",
        None,
        action=audit.DOWNLOADED,
        kind=kind,
        changes=details,
    )
    response = StreamingHttpResponse(
        write_sheet(sheet.header, [sheet.rows]), content_type="text/csv; charset=utf-8"
    )
    name = f"{panel.key}-{period.first:%Y-%m-%d}-{period.last:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Show the queues that the user may view; 403 if there are none."""
    if not queues_for(request.user):
        raise PermissionDenied
    return _show_console(request, SeenPaymentForm(auto_id="write-%s"))


@require_POST
def write_receipt(request: HttpRequest) -> HttpResponse:
    """Record a payment that the user has seen."""
    by = _require_user(request, VIEW_MONEY, DECIDE_MONEY)
    form = SeenPaymentForm(request.POST, auto_id="write-%s")
    if not form.is_valid():
        return _show_console(request, form, status=400)
    try:
        receipt = record_payment(form.cleaned_data, by=by)
    except (Refusal, IntegrityError) as error:
        messages.error(request, _reason(error))
        return redirect("console")
    messages.success(request, _describe_recorded(receipt))
    return redirect("console-timeline", kind="receipt", pk=receipt.pk)


def _describe_recorded(receipt: Receipt) -> str:
    """What became of a payment that was recorded: a wrong reference pays for no order."""
    if receipt.order is not None:
        return f"{receipt} is recorded for order {receipt.order}."
    waits = "It waits under “Payments without an order”."
    return " ".join(filter(None, [f"{receipt} is recorded.", receipt.note, waits]))


@require_safe
def timeline(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Show the timeline of a row and the actions on it."""
    row = _row(request, kind, pk)
    return _show_timeline(request, kind, row, {})


@require_safe
def problem_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a picture attached to a message about a problem."""
    if not request.user.has_perm(VIEW_PROBLEMS):
        raise PermissionDenied
    return answer_picture(bytes(get_object_or_404(ProblemPicture, pk=pk).image))


@require_POST
def act(request: HttpRequest, kind: str, pk: int, key: str) -> HttpResponse:
    """Perform an action on a row."""
    row = _row(request, kind, pk)
    by = _require_user(request, *permissions_for(kind, row))
    action = KINDS[kind].actions.get(key)
    if action is None:
        raise Http404
    before, name = page_before(request), act_name(kind, pk, key)
    form = action.form(request.POST, auto_id=f"{name if before else key}-%s")
    form.adapt_to([row], by)
    if not form.is_valid():
        there = send_back(request, before, name, form) if before else None
        return there or _show_timeline(request, kind, row, {key: form}, status=400)
    try:
        messages.success(request, perform(action, row, form.cleaned_data, by=by) or action.label)
    except (Refusal, IntegrityError) as error:
        messages.error(request, _reason(error))
    return redirect(before or reverse("console-timeline", args=[kind, pk]))


def _reason(error: Refusal | IntegrityError) -> str:
    return str(error) if isinstance(error, Refusal) else f"{CONCURRENT_CHANGE} before you decide."


def _show_console(
    request: HttpRequest, form: SeenPaymentForm, *, status: int = 200
) -> HttpResponse:
    waiting, known = load_queues(request.user)
    sees_money = request.user.has_perm(VIEW_MONEY)
    return _render(
        request,
        "console",
        title="Needs attention",
        status=status,
        waiting=[view for view in waiting if view.count],
        known=[view for view in known if view.count],
        quiet=[view for view in waiting if not view.count],
        count=sum(view.count for view in waiting),
        unsolicited=_count_unsolicited() if sees_money else 0,
        sees_money=sees_money,
        verdict=NightlyProof.objects.last_verdict() if sees_money else None,
        incidents=Trouble.objects.alerted() if sees_money else (),
        may_act=request.user.has_perm(DECIDE_MONEY),
        may_decide=any(view.may_act for view in waiting),
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
    """Show a row's page with a form for each action; ``filled`` holds forms with errors."""
    offered = {key: each for key, each in KINDS[kind].actions.items() if each.applies(row)}
    typed = {"reference": request.GET.get("reference", "")[:40]}
    forms, act_permission = [], permissions_for(kind, row)[1]
    may_act = request.user.has_perm(act_permission)
    is_involved = may_act and bool(offered) and is_party(current_user(request), find_parties(row))
    if may_act and not is_involved:
        for key, action in offered.items():
            form = filled.get(key) or action.form(initial=typed, auto_id=f"{key}-%s")
            forms.append((key, action, form))
    is_unmatched = isinstance(row, Receipt) and "give" in offered
    about = describe_problem(row) if isinstance(row, Problem) else None
    return _render(
        request,
        "problem" if about else "timeline",
        title=f"{kind.capitalize()}: {row}",
        status=status,
        row=row,
        kind=kind,
        about=about,
        needed=_NEEDED[act_permission],
        may_act=may_act and not is_involved,
        is_involved=is_involved,
        proposed=list(open_about([row])),
        sees_money=request.user.has_perm(VIEW_MONEY),
        offered=offered,
        forms=forms,
        entries=build_timeline(row),
        suggestions=suggest_orders(row) if is_unmatched and isinstance(row, Receipt) else [],
    )


def _count_unsolicited() -> int:
    """Messages to the addresses of prompts that match nothing here, at most COUNT_AT_MOST."""
    return GatewayEvent.objects.unsolicited().order_by()[:COUNT_AT_MOST].count()


def _render(
    request: HttpRequest, page: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    shared = {
        **admin.site.each_context(request),
        "title": title,
    }
    return render(request, f"admin/payments/{page}.html", {**shared, **context}, status=status)


def _row(request: HttpRequest, kind: str, pk: int) -> Any:
    """Fetch a row that the user may view.

    Raises PermissionDenied, without revealing whether the row exists, or Http404.
    """
    known = KINDS.get(kind)
    if known is None or known.model is Proposal:
        # The permission depends on the row that a proposal is about, checked below.
        if not queues_for(request.user):
            raise PermissionDenied
    elif not request.user.has_perm(known.view_permission):
        raise PermissionDenied
    if known is None:
        raise Http404
    row = get_object_or_404(known.model, pk=pk)
    if not request.user.has_perm(permissions_for(kind, row)[0]):
        raise PermissionDenied
    return row


def _require_user(request: HttpRequest, *permissions: str) -> User:
    """The user, if they have these permissions. Raises PermissionDenied."""
    user = request.user
    if not isinstance(user, User) or not user.has_perms(permissions):
        raise PermissionDenied
    return user
