"""Staff actions: changes that staff make to records, with a reason, by a service, and audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.authentication import current_user
from accounts.models import User
from omachemainproj.api.errors import Refusal
from omachemainproj.readable_urls import is_readable_url
from omachemainproj.text import clean_shown

from . import audit
from .approval_limits import Cost, propose, reserve_staff_limit
from .conflicts import NOBODY, ConflictOfInterest, Parties, log_refusal, refuse_conflicts
from .form_fields import read_text

#: Rows per action: they are processed one by one while the browser waits.
MAX_ROWS = 100
#: In a POST: the form was submitted. Without it, the action was only chosen from the list.
SUBMITTED = "said"
#: In a POST: the address of the row's page on which the action was chosen, to return to.
FROM_PAGE = "from_page"
#: Shown when two people did the same at the same time and a constraint refused the second.
CONCURRENT_CHANGE = "Someone else changed this first. Reload the page and try again"


class ReasonForm(forms.Form):
    """The reason, which is recorded with the name of the person acting."""

    why = forms.CharField(
        min_length=3,
        max_length=200,
        label="Why",
        help_text="Recorded with your name.",
        error_messages={"required": "Give a reason. It is recorded with your name."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        # The reason comes last.
        others = [name for name in self.fields if name != "why"]
        self.order_fields([*others, "why"])
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")
        read_text(cast(forms.CharField, self.fields["why"]), clean_shown)

    def full_clean(self) -> None:
        """Validate the form, and focus the first field with an error."""
        super().full_clean()
        wrong = next((name for name in self.fields if name in (self.errors or ())), None)
        if wrong is not None:
            self.fields[wrong].widget.attrs["autofocus"] = True

    def adapt_to(self, rows: Sequence[Any], by: User) -> None:
        """Drop or relax fields that these rows and this user do not need."""

    @staticmethod
    def parties(given: Mapping[str, Any]) -> Parties:
        """The people and phones involved in what was typed, such as the order or number entered."""
        return NOBODY


class OptionalReasonForm(ReasonForm):
    """An optional reason."""

    why = forms.CharField(
        required=False, max_length=200, label="Note", help_text="Recorded with your name."
    )


class AlreadyDone(Exception):
    """Raised by an action that finds its work done before: it changes nothing, and says so.

    Buttons are pressed again when an answer was slow or lost. Such a press is not recorded.
    """


#: Called by an action with the row, the cleaned form data, and the user who acts. Returns a
#: message for the page, or None.
Handler = Callable[[Any, Mapping[str, Any], User], str | None]


def _always(row: Any) -> bool:
    return True


#: The cost of an action on a row, given the form data; called while the row is locked.
CostFunction = Callable[[Any, Mapping[str, Any]], Cost]


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """How much money an action sends, and who may approve it.

    - ``second``: permissions, one of which the second person needs.
    - ``lock``: locks the row, and the rows to be locked before it, where the price may change.
    - ``new``: builds an unsaved row from the form data, for actions that create one.
    """

    price: CostFunction
    second: tuple[str, ...]
    lock: Callable[[Any], Any] | None = None
    new: Callable[[Mapping[str, Any]], Model] | None = None


@dataclass(frozen=True, slots=True)
class StaffAction:
    """Something staff may do with a row, on a list (``staff_action``) or on the row's own page.

    ``form`` asks for the data ``do`` needs. ``applies`` says whether a row's page offers the
    action; only the service, under its locks, knows whether it is possible. ``key`` is unique among
    all actions, and ``approval`` says how much money leaves the shop.

    An action and its audit entry are one transaction, with two exceptions. One that
    ``calls_gateway`` is recorded before M-Pesa is called, and again with its changes. One with its
    ``own_transaction`` has a service that commits data which must outlive a refusal, such as a
    count of wrong codes. Neither may cost anything.
    """

    label: str
    do: Handler
    form: type[ReasonForm] = ReasonForm
    about: str = ""
    applies: Callable[[Any], bool] = _always
    calls_gateway: bool = False
    own_transaction: bool = False
    key: str = ""
    approval: ApprovalPolicy | None = None


#: All staff actions, by key.
ACTIONS: dict[str, StaffAction] = {}


def register(action: StaffAction) -> StaffAction:
    """Add an action to the registry. Raises ValueError for a missing or duplicate key."""
    if not action.key or action.key in ACTIONS:
        raise ValueError(f"an action needs a unique key, not {action.key!r}")
    if action.approval and (action.calls_gateway or action.own_transaction):
        raise ValueError(f"{action.key} costs money, so it must be a single transaction")
    ACTIONS[action.key] = action
    return action


def perform(action: StaffAction, row: Model, given: Mapping[str, Any], *, by: User) -> str | None:
    """Do an action with one row, and record who did it, why, and what it changed.

    Returns the action's message, if any; if it was done before, nothing is recorded, and the
    message says so (AlreadyDone). Raises Refusal: ConflictOfInterest, which is recorded too,
    for a user who is involved in the row, and SecondPersonNeeded, after recording a proposal, for
    what one person may not decide alone. Call it outside of a transaction, so that these records
    are kept.
    """
    refuse_conflicts_of_action(action, row, given, by)
    try:
        return _perform(action, row, given, by)
    except AlreadyDone as done:
        return str(done)


def _perform(action: StaffAction, row: Model, given: Mapping[str, Any], by: User) -> str | None:
    what, why = describe(action.label, given), given.get("why", "")
    if action.approval:
        pk = row.pk
        try:
            return _perform_alone(action, action.approval, row, given, by)
        except _AloneLimitExceeded as much:
            # The transaction that created the row was rolled back.
            row.pk = pk
            raise propose(action.key, what, row, given, by=by, cost=much.cost) from None
    if action.calls_gateway:
        audit.log_with_history(by, what, row, action=action.key, why=why)
    commits_itself = action.calls_gateway or action.own_transaction
    with nullcontext() if commits_itself else transaction.atomic():
        before = audit.values_of(row)
        result = action.do(row, given, by)
        changes = audit.difference(before, audit.values_of(row))
        if not action.calls_gateway:
            audit.log_with_history(by, what, row, action=action.key, why=why, changes=changes)
        elif changes:
            audit.log(by, f"Result: {action.label}", row, action=action.key, changes=changes)
    return result


class _AloneLimitExceeded(Exception):
    """The action was possible but exceeds the user's limits, so it is rolled back."""

    def __init__(self, cost: Cost) -> None:
        self.cost = cost
        super().__init__(str(cost))


@transaction.atomic
def _perform_alone(
    action: StaffAction, approval: ApprovalPolicy, row: Model, given: Mapping[str, Any], by: User
) -> str | None:
    """Do an action that costs money, or raise _AloneLimitExceeded. Raises Refusal."""
    locked = approval.lock(row) if approval.lock else row
    cost = approval.price(locked, given)
    before = audit.values_of(row)
    result = action.do(row, given, by)
    # Last, so that only possible actions become proposals.
    if not reserve_staff_limit(by, cost):
        raise _AloneLimitExceeded(cost)
    changes = audit.difference(before, audit.values_of(row))
    what, why = describe(action.label, given), given.get("why", "")
    audit.log_with_history(by, what, row, action=action.key, why=why, changes=changes)
    return result


def refuse_conflicts_of_action(
    action: StaffAction, row: Model, given: Mapping[str, Any], by: User
) -> None:
    """Raise ConflictOfInterest, and record it, if a user is party to the row or the form data."""
    try:
        refuse_conflicts(by, row, others=action.form.parties(given))
    except ConflictOfInterest:
        log_refusal(by, describe(action.label, given), row, why=given.get("why", ""))
        raise


def decides_about_rows(do: Any) -> Any:
    """Make a list action without a form skip rows that its user is involved in.

    Put it below ``admin.action``. Each skipped row is named to the user and recorded.
    """

    @wraps(do)
    def run(model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]) -> Any:
        by, own = current_user(request), []
        for row in rows[: MAX_ROWS + 1]:
            try:
                refuse_conflicts(by, row)
            except ConflictOfInterest as refusal:
                own.append(row.pk)
                log_refusal(by, do.__name__, row)
                model_admin.message_user(request, f"{row}: {refusal}", messages.WARNING)
        return do(model_admin, request, rows.exclude(pk__in=own) if own else rows)

    run.keeps_out = True  # type: ignore[attr-defined]
    return run


def describe(label: str, given: Mapping[str, Any]) -> str:
    """An action as it is recorded: its label, and the form data except the reason."""
    typed = [
        name.replace("_", " ") if value is True else str(value)
        for name, value in given.items()
        if value and name not in {"why", "code"}
    ]
    return f"{label} ({', '.join(typed)})" if typed else label


class ListAction(Protocol):
    """An action of an admin list, with the staff action it does on each row."""

    __name__: str
    short_description: str
    staff_action: StaffAction

    def __call__(
        self, model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
    ) -> HttpResponse | None: ...


def staff_action(
    label: str,
    *,
    permissions: list[str],
    form: type[ReasonForm] = ReasonForm,
    about: str = "",
    calls_gateway: bool = False,
    own_transaction: bool = False,
    approval: ApprovalPolicy | None = None,
) -> Callable[[Handler], ListAction]:
    """Make a list action out of a function that handles one row.

    ``permissions`` are as in ``admin.action``: names of ``has_…_permission`` of the admin class.

    The action's key is the function's module and name. It is stored with open proposals and in the
    audit, so neither may be renamed.
    """

    def decorate(do: Handler) -> ListAction:
        made = register(
            StaffAction(
                label,
                do,
                form,
                about,
                calls_gateway=calls_gateway,
                own_transaction=own_transaction,
                key=f"{do.__module__}.{do.__qualname__}"[-60:],
                approval=approval,
            )
        )

        @admin.action(description=label, permissions=permissions)
        @wraps(do, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def run(
            model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
        ) -> HttpResponse | None:
            return _run(made, model_admin, request, rows)

        listed = cast(ListAction, run)
        listed.staff_action = made
        return listed

    return decorate


def _run(
    action: StaffAction, model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    """Ask for the reason; once it is given, do the action on each row separately."""
    by, done = current_user(request), 0
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) > MAX_ROWS:
        model_admin.message_user(request, f"At most {MAX_ROWS} at a time.", messages.ERROR)
        return None
    form = action.form(request.POST if SUBMITTED in request.POST else None)
    form.adapt_to(chosen, by)
    if not form.is_valid():
        return _ask(action, model_admin, request, chosen, form)
    for row in chosen:
        try:
            result = perform(action, row, form.cleaned_data, by=by)
        except Refusal as refusal:
            model_admin.message_user(request, f"{row}: {refusal}", messages.WARNING)
        except IntegrityError:
            model_admin.message_user(request, f"{row}: {CONCURRENT_CHANGE}.", messages.WARNING)
        else:
            done += 1
            if result:
                model_admin.message_user(request, f"{row}: {result}")
    model_admin.message_user(request, f"{action.label}: {done} of {len(chosen)} done.")
    back = page_before(request)
    return redirect(back) if back else None


def page_before(request: HttpRequest) -> str:
    """The admin page on which the action was chosen, from the form; "" for none."""
    path = request.POST.get(FROM_PAGE, "")
    is_here = url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    is_page = is_readable_url(path) and path.startswith(reverse("admin:index"))
    return path if is_here and is_page else ""


def _ask(
    action: StaffAction,
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    chosen: list[Any],
    form: forms.Form,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": action.label,
        "opts": model_admin.opts,
        "about": action.about,
        "rows": chosen,
        "form": form,
        # The POST has two values: the list has an action bar above and one below.
        "action": action.do.__name__,
        "checkbox": ACTION_CHECKBOX_NAME,
        "submitted": SUBMITTED,
        "from_page": FROM_PAGE,
        "back": page_before(request),
    }
    return TemplateResponse(request, "admin/staff_action.html", context)
