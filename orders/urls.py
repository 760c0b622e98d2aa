"""Tracking. Cash-out's addresses are in payments.urls, where an order meets its payment."""

from django.urls import path

from . import views

urlpatterns = [
    path("track/order/", views.TrackOrderView.as_view(), name="track-order"),
]
