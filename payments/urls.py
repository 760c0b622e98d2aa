"""Cash-out and the webhook. No address here may contain a word Daraja refuses in a URL."""

from django.urls import path, re_path

from . import views, webhook

urlpatterns = [
    path("cashout/", views.CashoutView.as_view(), name="cashout"),
    path("cashout/<uuid:order_token>/", views.OrderView.as_view(), name="order"),
    path("cashout/<uuid:order_token>/pay/", views.PayView.as_view(), name="pay"),
    path("cashout/<uuid:order_token>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("safwebhook/", webhook.receive, name="webhook"),
    re_path(r"^safwebhook/(?P<token>[^/]{1,64})/$", webhook.receive, name="callback"),
]
