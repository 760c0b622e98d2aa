"""What staff may do with the rows of a list: asked why, done by a service, and kept on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

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

from . import audit

#: Rows one deed takes at once: each is done by itself, while the browser waits.
MAX_ROWS = 100
FASTER = "Somebody else was faster. Look again."
#: Tells the page that asks why from the list it was called from.
SAID = "said"
#: Tells the page of one row, where the way back leads, from the list.
FROM_PAGE = "from_page"


class ReasonForm(forms.Form):
    """The reason, which is kept with the name of whoever acts."""

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

    def suit(self, rows: Sequence[Any], by: User) -> None:
        """Ask for no more than these rows and this person need."""


class OptionalReasonForm(ReasonForm):
    """A reason that may be left out."""

    why = forms.CharField(
        required=False, max_length=200, label="Note", help_text="Kept with your name."
    )


#: What a deed calls: the row, what was typed, and who acts. Returns a sentence, or nothing to say.
Do = Callable[[Any, Mapping[str, Any], User], str | None]


@dataclass(frozen=True, slots=True)
class StaffAction:
    """One thing that may be done with rows; ``staff_action`` makes an action of it.

    ``form`` is what is asked for before, None for nothing. A deed is one transaction with its
    record, unless ``asks`` says that M-Pesa is asked meanwhile, when it is recorded before and
    again for what it changed; or ``alone`` that its service commits by itself what must outlive a
    refusal, such as the count of wrong codes.
    """

    label: str
    do: Do
    form: type[ReasonForm] | None = ReasonForm
    about: str = ""
    asks: bool = False
    alone: bool = False


def staff_action(
    label: str,
    *,
    permissions: list[str],
    form: type[ReasonForm] | None = ReasonForm,
    about: str = "",
    asks: bool = False,
    alone: bool = False,
) -> Callable[[Do], Callable[..., HttpResponse | None]]:
    """Make an action of the admin out of what is done with one row.

    ``permissions`` are as in ``admin.action``: names of ``has_…_permission`` of the admin class.
    """

    def decorate(do: Do) -> Callable[..., HttpResponse | None]:
        made = StaffAction(label, do, form, about, asks, alone)

        @admin.action(description=label, permissions=permissions)
        @wraps(do, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        def action(
            model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
        ) -> HttpResponse | None:
            return _run(made, model_admin, request, rows)

        action.deed = made  # type: ignore[attr-defined]
        return action

    return decorate


def _run(
    made: StaffAction, model_admin: admin.ModelAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    by, done = current_user(request), 0
    chosen = list(rows[: MAX_ROWS + 1])
    if len(chosen) > MAX_ROWS:
        model_admin.message_user(request, f"At most {MAX_ROWS} at once.", messages.ERROR)
        return None
    given: Mapping[str, Any] = {}
    if made.form is not None:
        form = made.form(request.POST if SAID in request.POST else None)
        form.suit(chosen, by)
        if not form.is_valid():
            return _ask(made, model_admin, request, chosen, form)
        given = form.cleaned_data
    for row in chosen:
        try:
            said = perform(made, row, given, by=by)
        except Refusal as refusal:
            model_admin.message_user(request, f"{row}: {_words(refusal)}", messages.WARNING)
        except IntegrityError:
            model_admin.message_user(request, f"{row}: {FASTER}", messages.WARNING)
        else:
            done += 1
            if said:
                model_admin.message_user(request, f"{row}: {said}")
    model_admin.message_user(request, f"{made.label}: {done} of {len(chosen)} done.")
    if FROM_PAGE in request.POST and len(chosen) == 1:
        opts = model_admin.opts
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", chosen[0].pk)
    return None


def perform(made: StaffAction, row: Model, given: Mapping[str, Any], *, by: User) -> str | None:
    """Do a deed with one row and record who, why, and what it changed. Raises Refusal."""
    if made.asks:
        audit.log_with_history(by, _what(made, given), row, why=given.get("why", ""))
    if not made.asks and not made.alone:
        with transaction.atomic():
            return _do(made, row, given, by)
    return _do(made, row, given, by)


def _do(made: StaffAction, row: Model, given: Mapping[str, Any], by: User) -> str | None:
    before = audit.values_of(row)
    said = made.do(row, given, by)
    changes = audit.difference(before, audit.values_of(row))
    if not made.asks:
        audit.log_with_history(
            by, _what(made, given), row, why=given.get("why", ""), changes=changes
        )
    elif changes:
        audit.log(by, f"What came of it: {made.label}", row, changes=changes)
    return said


def _what(made: StaffAction, given: Mapping[str, Any]) -> str:
    typed = [
        name.replace("_", " ") if value is True else str(value)
        for name, value in given.items()
        if value and name not in {"why", "code"}
    ]
    return f"{made.label} ({', '.join(typed)})" if typed else made.label


def _words(refusal: Refusal) -> str:
    if isinstance(refusal, FieldRefusal):
        return " ".join(str(text) for texts in refusal.errors.values() for text in texts)
    return str(refusal)


def _ask(
    made: StaffAction,
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    chosen: list[Any],
    form: forms.Form,
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": made.label,
        "opts": model_admin.opts,
        "deed": made,
        "rows": chosen,
        "form": form,
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
        "said": SAID,
        "from_page": FROM_PAGE if FROM_PAGE in request.POST else "",
    }
    return TemplateResponse(request, "admin/deed.html", context)
