"""Tracking. The addresses of cash-out are in payments.urls, since it starts the payment too."""

from django.urls import path, re_path

from .delivery.views import PickupPointsView
from .notices.views import NoticesReadView, NoticesView
from .quoting.views import QuoteView
from .tracking import review_views, seller_views, views

# 18 digits fit the column.
_LINE = r"(?P<track_id>[0-9]{1,18})"

urlpatterns = [
    path("pickup-points/", PickupPointsView.as_view(), name="pickup-points"),
    path("notices/", NoticesView.as_view(), name="notices"),
    path("notices/read/", NoticesReadView.as_view(), name="notices-read"),
    path("cart/quote/", QuoteView.as_view(), name="quote"),
    path("seller/orders/", seller_views.SellerOrdersView.as_view(), name="seller-orders"),
    path("track/order/", views.TrackOrderView.as_view(), name="track-order"),
    re_path(rf"^track/order/{_LINE}/$", views.TrackStoryView.as_view(), name="track-story"),
    re_path(rf"^track/{_LINE}/move/$", views.MoveView.as_view(), name="track-move"),
    re_path(rf"^track/{_LINE}/review/$", review_views.ReviewView.as_view(), name="track-review"),
]
