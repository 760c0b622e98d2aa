"""Tracking, parcels, and the delivery role's page.

The addresses of cash-out are in payments.urls, since it starts the payment too.
"""

from django.contrib.admin import site
from django.urls import path, re_path

from .delivery.views import PickupPointsView
from .notices.views import NoticesReadView, NoticesView
from .notifications.report_view import receive_report
from .parcels import console
from .parcels import views as parcel_views
from .problems import views as problems
from .quoting.views import QuoteView
from .tracking import review_views, seller_views, views

# 18 digits fit the column.
_LINE = r"(?P<track_id>[0-9]{1,18})"
_PARCEL = r"(?P<parcel_id>[0-9]{1,18})"
_PROBLEM = rf"^track/{_LINE}/problem"

urlpatterns = [
    path("pickup-points/", PickupPointsView.as_view(), name="pickup-points"),
    path("notices/", NoticesView.as_view(), name="notices"),
    path("notices/read/", NoticesReadView.as_view(), name="notices-read"),
    path("safwebhook/sms/<str:token>/", receive_report, name="sms-report"),
    path("cart/quote/", QuoteView.as_view(), name="quote"),
    path("seller/orders/", seller_views.SellerOrdersView.as_view(), name="seller-orders"),
    path("deliveries/", parcel_views.ParcelsView.as_view(), name="deliveries"),
    re_path(
        rf"^deliveries/{_PARCEL}/claim/$",
        parcel_views.ParcelClaimView.as_view(),
        name="delivery-claim",
    ),
    re_path(
        rf"^deliveries/{_PARCEL}/release/$",
        parcel_views.ParcelReleaseView.as_view(),
        name="delivery-release",
    ),
    re_path(
        rf"^deliveries/{_PARCEL}/attempt/$",
        parcel_views.ParcelAttemptView.as_view(),
        name="delivery-attempt",
    ),
    re_path(
        rf"^deliveries/{_PARCEL}/move/$",
        parcel_views.ParcelMoveView.as_view(),
        name="delivery-move",
    ),
    path("admin/deliveries/", site.admin_view(console.parcels), name="parcels-console"),
    path(
        "admin/deliveries/<int:parcel_id>/<slug:key>/",
        site.admin_view(console.act),
        name="parcels-act",
    ),
    path("track/order/", views.TrackOrderView.as_view(), name="track-order"),
    re_path(rf"^track/order/{_LINE}/$", views.TrackHistoryView.as_view(), name="track-story"),
    re_path(rf"^track/{_LINE}/move/$", views.MoveView.as_view(), name="track-move"),
    re_path(rf"^track/{_LINE}/review/$", review_views.ReviewView.as_view(), name="track-review"),
    re_path(rf"{_PROBLEM}/$", problems.ProblemView.as_view(), name="problem"),
    re_path(rf"{_PROBLEM}/messages/$", problems.MessagesView.as_view(), name="problem-messages"),
    re_path(rf"{_PROBLEM}/accept/$", problems.AcceptView.as_view(), name="problem-accept"),
    re_path(rf"{_PROBLEM}/returned/$", problems.ReturnedView.as_view(), name="problem-returned"),
    re_path(rf"{_PROBLEM}/withdraw/$", problems.WithdrawView.as_view(), name="problem-withdraw"),
    re_path(
        rf"{_PROBLEM}/pictures/(?P<picture_id>[0-9]{{1,18}})/$",
        problems.PictureView.as_view(),
        name="problem-picture",
    ),
    path("seller/problems/", problems.SellerProblemsView.as_view(), name="seller-problems"),
]
