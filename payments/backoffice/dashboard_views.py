"""The dashboard: one page of the admin that says how the shop is doing."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from .dashboard_panels import panels_for


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show each section to those who hold its permission; 403 for those who hold none."""
    panels = panels_for(request.user)
    if not panels:
        raise PermissionDenied
    now = timezone.now()
    context = {
        **admin.site.each_context(request),
        "title": "How the shop is doing",
        "now": now,
        "panels": [(panel, panel.read(now)) for panel in panels],
    }
    return render(request, "admin/payments/dashboard.html", context)
