"""Problems on the page of their order and on their own page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse

from accounts.backoffice.posted_forms import PageForm
from accounts.backoffice.proposals import open_about
from accounts.backoffice.row_page import (
    Content,
    Link,
    Part,
    list_of,
    newest_of,
    section,
)
from accounts.models import User
from orders.models import (
    Order,
    Problem,
    ProblemMessage,
    ProblemPicture,
)
from orders.sections.descriptions import describe_problem
from payments.backoffice.kinds import KINDS, act_name, console_page
from payments.backoffice.permissions import DECIDE_PROBLEMS, VIEW_PROBLEMS

#: The newest messages that a page shows, over all its problems.
MAX_MESSAGES = 200


@section(Order, "problems", "Problems", permission=VIEW_PROBLEMS, place=30)
def show_problems(order: Order, viewer: User) -> Content | None:
    mine = Problem.objects.filter(track__order=order.pk).select_related("track__parcel")
    problems, has_more = newest_of(mine)
    if not problems:
        return None
    more = list_of(Problem, "All problems", track__order=order.pk) if has_more else None
    return _render_problems(problems, viewer, more)


@section(Problem, "problems", "Messages", permission=VIEW_PROBLEMS, place=10)
def show_problem(problem: Problem, viewer: User) -> Content:
    """The same section as on the page of the order."""
    return _render_problems([problem], viewer, None)


def _render_problems(problems: Sequence[Problem], viewer: User, more: Link | None) -> Part:
    messages = _messages_of(problems)
    proposed = list(open_about(problems)) if viewer.has_perm(DECIDE_PROBLEMS) else []
    shown: list[dict[str, Any]] = [
        {
            "problem": problem,
            "outcome": describe_problem(problem),
            "page": console_page(problem),
            "thread": messages[problem.pk],
            "proposed": [each for each in proposed if each.object_id == str(problem.pk)],
            "forms": _forms_of(problem, viewer),
        }
        for problem in problems
    ]
    forms = [form for each in shown for form in each["forms"]]
    return Part("admin/payments/page/problems.html", {"problems": shown, "more": more}, forms)


def _messages_of(problems: Sequence[Problem]) -> dict[int, list[ProblemMessage]]:
    """The newest MAX_MESSAGES messages by problem, oldest first. Two queries."""
    # Not the image itself, which may be a megabyte.
    pictures = ProblemPicture.objects.only("pk", "message_id").order_by("pk")
    of_these = ProblemMessage.objects.filter(problem__in=problems).order_by("-pk")
    by_problem = defaultdict(list)
    for message in reversed(
        of_these.prefetch_related(Prefetch("pictures", pictures))[:MAX_MESSAGES]
    ):
        by_problem[message.problem_id].append(message)
    return by_problem


def _forms_of(problem: Problem, viewer: User) -> list[PageForm]:
    """The console's buttons for a problem, if the viewer may use them."""
    if not viewer.has_perm(DECIDE_PROBLEMS):
        return []
    return [
        PageForm.of(
            action,
            act_name("problem", problem.pk, key),
            reverse("console-act", args=["problem", problem.pk, key]),
            f"problem {problem.pk}",
        )
        for key, action in KINDS["problem"].actions.items()
        if action.applies(problem)
    ]
