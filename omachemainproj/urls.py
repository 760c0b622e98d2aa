"""The root of all URLs. EdgeMiddleware reads paths with and without their last slash."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from . import health
from .media import media

#: Swagger UI needs inline styles and data: images; its scripts are static files of ours.
_DOCS_POLICY = (
    f"{settings.CONTENT_SECURITY_POLICY}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI; everything it loads is served from here."""

    url_name = "schema"
    #: OPTIONS would be described in a template that describes nothing.
    metadata_class = None

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        response["Content-Security-Policy"] = _DOCS_POLICY
        return response


urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("payments.urls")),
    path("", include("orders.urls")),
    # Last, for its /seller/<any word>/.
    path("", include("products.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    # A folder and a random name, as the models' upload paths make them; nothing else is stored.
    re_path(r"^media/(?P<path>[a-z]+/[A-Za-z0-9_.-]+)$", media, name="media"),
    path("admin/", admin.site.urls),
    path("livez/", health.alive),
    path("readyz/", health.ready),
]

handler400 = "omachemainproj.api.handlers.bad_request"
handler403 = "omachemainproj.api.handlers.permission_denied"
handler404 = "omachemainproj.api.handlers.not_found"
handler500 = "omachemainproj.api.handlers.server_error"
