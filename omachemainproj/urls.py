"""Every address of the shop. EdgeMiddleware reads paths with and without their last slash."""

from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from . import health
from .media import media

#: Swagger UI styles itself inline and draws its icons from data; its script stays our own file.
_docs = csp_update({"style-src": ["'self'", "'unsafe-inline'"], "img-src": ["'self'", "data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="schema")
)

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("products.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", _docs, name="docs"),
    # A folder and a name of ours, as the models' upload paths make them; nothing else is there.
    re_path(r"^media/(?P<path>[a-z]+/[A-Za-z0-9_.-]+)$", media, name="media"),
    path("admin/", admin.site.urls),
    path("livez/", health.alive),
    path("readyz/", health.ready),
]

handler400 = "omachemainproj.handlers.bad_request"
handler403 = "omachemainproj.handlers.permission_denied"
handler404 = "omachemainproj.handlers.not_found"
handler500 = "omachemainproj.handlers.server_error"
