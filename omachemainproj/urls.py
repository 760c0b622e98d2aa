"""Every address of the shop. EdgeMiddleware reads paths with and without their last slash."""

from django.contrib import admin
from django.urls import include, path

from . import health

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("products.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("admin/", admin.site.urls),
    path("livez/", health.alive),
    path("readyz/", health.ready),
]

handler400 = "omachemainproj.errors.bad_request"
handler403 = "omachemainproj.errors.permission_denied"
handler404 = "omachemainproj.errors.not_found"
handler500 = "omachemainproj.errors.server_error"
