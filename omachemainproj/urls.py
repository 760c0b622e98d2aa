"""The root of all URLs. EdgeMiddleware reads paths with and without their last slash."""

from django.contrib import admin
from django.urls import include, path, re_path

from payments.urls import ORDERING
from products.urls import ANY_WORD

from . import health
from .documentation import DocsView, SchemaView
from .media import media

urlpatterns = [
    # The catalogue is asked for most.
    path("", include("products.urls")),
    path("", include(ORDERING)),
    path("", include("accounts.urls")),
    path("", include("payments.urls")),
    path("", include("orders.urls")),
    path("", include(ANY_WORD)),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    # A folder and a random name, as the models' upload paths make them; nothing else is stored.
    re_path(r"^media/(?P<path>[a-z]+/[A-Za-z0-9_.-]+)$", media, name="media"),
    path("admin/", admin.site.urls),
    path("livez/", health.alive),
    path("readyz/", health.ready),
    path("readyz/clock/", health.clock),
]

handler400 = "omachemainproj.api.handlers.bad_request"
handler403 = "accounts.backoffice.error_pages.permission_denied"
handler404 = "accounts.backoffice.error_pages.not_found"
handler500 = "omachemainproj.api.handlers.server_error"
