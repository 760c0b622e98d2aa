"""Problems as the API returns them. serializers.py describes the same shapes."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework.request import Request

from orders.models import Problem, ProblemMessage


def represent_summary(problem: Any) -> dict[str, Any]:
    """Return the state of a problem for the page of its line; ``message_count`` is annotated
    (queries).

    ``refunded`` in whole KES, times in UTC.
    """
    return {
        "id": problem.pk,
        "kind": problem.kind,
        "state": problem.state,
        "outcome": problem.outcome or None,
        "ended_by": problem.ended_by or None,
        "refunded": problem.refunded,
        "messages": problem.message_count,
        "opened_at": problem.opened_at,
        "closed_at": problem.closed_at,
    }


def represent_problem(problem: Any) -> dict[str, Any]:
    """Return a problem with its line; amounts in whole KES."""
    line = problem.track
    return {
        **represent_summary(problem),
        "track": line.pk,
        "order": line.order.reference,
        "product": line.product_id,
        "name": line.name,
        "number": line.number,
        "amount": line.amount,
        "reduced": line.reduced,
        "track_status": line.track_status,
    }


def represent_message(
    message: ProblemMessage, problem: Problem, request: Request
) -> dict[str, Any]:
    """Return one message; staff are shown as ``shop``, never by name."""
    return {
        "id": message.pk,
        "by": message.party,
        "text": message.text,
        "decided": message.decided or None,
        "pictures": [
            request.build_absolute_uri(
                reverse("problem-picture", args=[problem.track_id, picture.pk])
            )
            for picture in message.pictures.all()
        ],
        "at": message.created_at,
    }
