"""Staff actions: what staff may do with rows, with a reason, through a service, and on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts.authentication import current_user
from accounts.models import User
from omachemainproj.api.errors import FieldRefusal, Refusal
from omachemainproj.text import clean_shown

from . import audit
from .admin import read_text

#: Rows one action takes at once: each is done by itself, while the browser waits.
MAX_ROWS = 100
#: In a POST: the form was filled in. Without it, the action was just chosen from its list.
SUBMITTED = "said"
#: In a POST: the action was chosen on a row's own page, and leads back there.
FROM_PAGE = "from_page"
#: What is said where two did the same at once, and a constraint kept the second out.
FASTER = "Somebody else was faster. Look again"


class ReasonForm(forms.Form):
    """The reason, which is recorded with the name of whoever acts."""

    why = forms.CharField(
        min_length=3,
        max_length=200,
        label="Why",
        help_text="Kept with your name.",
        error_messages={"required": "Say why: it is kept with your name."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        # The reason is asked for last.
        others = [name for name in self.fields if name != "why"]
        self.order_fields([*others, "why"])
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")
        read_text(cast(forms.CharField, self.fields["why"]), clean_shown)

    def adapt_to(self, rows: Sequence[Any], by: User) -> None:
        """Drop or relax the fields that these rows and this person do not need."""


class OptionalReasonForm(ReasonForm):
    """A reason that may be left out."""

    why = forms.CharField(
        required=False, max_length=200, label="Note", help_text="Kept with your name."
    )


#: What an action calls: the row, what was typed, and who acts. Returns a sentence for the page,
#: or None.
Do = Callable[[Any, Mapping[str, Any], User], str | None]


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class StaffAction:
    """Something staff may do with a row, on a list (``staff_action``) or on the row's own page.

    ``form`` asks for what ``do`` needs. ``applies`` says whether a row's page offers it; whether
    it can be done the service alone knows, under its locks.

    An action and its record are one transaction, unless it ``calls_gateway``: then it is recorded
    before M-Pesa is called, and once more for what it changed. Or it has its ``own_transaction``:
    its service commits what must outlive a refusal, such as the count of wrong codes.
    """

    label: str
    do: Do
    form: type[ReasonForm] = ReasonForm
    about: str = ""
    applies: Callable[[Any], bool] = _always
    calls_gateway: bool = False
    own_transaction: bool = False


def perform(action: StaffAction, row: Model, given: Mapping[str, Any], *, by: User) -> str | None:
    """Do an action with one row, and record who did it, why, and what it changed.

    Returns its sentence, if it has one. Raises Refusal.
    """
    what, why = describe(action.label, given), given.get("why", "")
    if action.calls_gateway:
        audit.log_with_history(by, what, row, why=why)
    commits_itself = action.calls_gateway or action.own_transaction
    with nullcontext() if commits_itself else transaction.atomic():
        before = audit.values_of(row)
        said = action.do(row, given, by)
        changes = audit.difference(before, audit.values_of(row))
        if not action.calls_gateway:
            audit.log_with_history(by, what, row, why=why, changes=changes)
        elif changes:
            audit.log(by, f"What came of it: {action.label}", row, changes=changes)
    return said


def describe(label: str, given: Mapping[str, Any]) -> str:
    """What was done, as it is recorded: a label, and what was typed besides the reason."""
    typed = [
        name.replace("_", " ") if value is True else str(value)
        for name, value in given.items()
        if value and name not in {"why", "code"}
    ]
    return f"{label} ({', '.join(typed)})" if typed else label


def staff_action(
    label: str,
    *,
    permissions: list[str],
    form: type[ReasonForm] = ReasonForm,
    about: str = "",
    calls_gateway: bool = False,
    own_transaction: bool = False,
) -> Callable[[Do], Callable[..., HttpResponse | None]]:
    """Make an action of an admin's list out of what is done with one row.

    ``permissions`` are as in ``admin.action``: names of ``has_…_permission`` of the admin class.
    """

    def decorate(do: Do) -> Callable[..., HttpResponse | None]:
        made = StaffAction(
            label,
            do,
            form,
            about,
            calls_gateway=calls_gateway,
            own_transaction=own_transaction,
        )

        @admin.action(description=label, permissions=permissions)
        @wraps(do, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def run(
            model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
        ) -> HttpResponse | None:
            return _run(made, model_admin, request, rows)

        return run

    return decorate


def _run(
    action: StaffAction, model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    """Ask for the reason first; once it is given, do the action with each row by itself."""
    by, done = current_user(request), 0
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) > MAX_ROWS:
        model_admin.message_user(request, f"At most {MAX_ROWS} at once.", messages.ERROR)
        return None
    form = action.form(request.POST if SUBMITTED in request.POST else None)
    form.adapt_to(chosen, by)
    if not form.is_valid():
        return _ask(action, model_admin, request, chosen, form)
    for row in chosen:
        try:
            said = perform(action, row, form.cleaned_data, by=by)
        except Refusal as refusal:
            model_admin.message_user(request, f"{row}: {_words(refusal)}", messages.WARNING)
        except IntegrityError:
            model_admin.message_user(request, f"{row}: {FASTER}.", messages.WARNING)
        else:
            done += 1
            if said:
                model_admin.message_user(request, f"{row}: {said}")
    model_admin.message_user(request, f"{action.label}: {done} of {len(chosen)} done.")
    if FROM_PAGE in request.POST and len(chosen) == 1:
        opts = model_admin.opts
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", chosen[0].pk)
    return None


def _words(refusal: Refusal) -> str:
    if isinstance(refusal, FieldRefusal):
        return " ".join(str(text) for texts in refusal.errors.values() for text in texts)
    return str(refusal)


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
        # The POST holds two: a list has a bar of actions above and one below.
        "action": action.do.__name__,
        "checkbox": ACTION_CHECKBOX_NAME,
        "submitted": SUBMITTED,
        "from_page": FROM_PAGE if FROM_PAGE in request.POST else "",
    }
    return TemplateResponse(request, "admin/staff_action.html", context)
