"""Cash-out, sellers' money, the webhooks, and the console and the dashboard for staff.

Daraja refuses certain words in the addresses it posts to: see omachemainproj.callback_addresses.
"""

from django.contrib.admin import site
from django.urls import include, path, re_path

from .backoffice import views as backoffice_views
from .checkout import views
from .checkout.order_list import OrdersView
from .payouts import views as seller_views
from .people import views as people_views
from .watch import views as watch_views
from .webhooks import views as webhooks

CONSOLE = "admin/payments/console/"

#: As long as GatewayEvent.token; nothing longer is an address of ours.
_ADDRESS = r"(?P<token>[^/]{1,64})"

_CASHOUT = [
    path("", views.CashoutView.as_view(), name="cashout"),
    path("<uuid:order_token>/", views.OrderView.as_view(), name="order"),
    path("<uuid:order_token>/pay/", views.PayView.as_view(), name="pay"),
    path("<uuid:order_token>/cancel/", views.CancelView.as_view(), name="cancel"),
]
_WEBHOOKS = [
    path("", webhooks.receive, name="webhook"),
    path("bank/<slug:bank>/", webhooks.bank_ipn, name="bank-ipn"),
    re_path(rf"^c2b/{_ADDRESS}/confirmation/$", webhooks.c2b_confirmation, name="c2b-confirmation"),
    re_path(rf"^c2b/{_ADDRESS}/validation/$", webhooks.c2b_validation, name="c2b-validation"),
    re_path(rf"^{_ADDRESS}/$", webhooks.receive, name="callback"),
]

#: What an order is placed and paid by. Before the other addresses: those of an order and a callback
#: were compared with fifty patterns, and with sixty.
ORDERING = [
    path("cashout/", include(_CASHOUT)),
    path("safwebhook/", include(_WEBHOOKS)),
]

urlpatterns = [
    path("me/", people_views.MeView.as_view(), name="me"),
    path("account/export/", people_views.ExportView.as_view(), name="account-export"),
    path("account/delete/", people_views.DeleteAccountView.as_view(), name="account-delete"),
    path("orders/", OrdersView.as_view(), name="orders"),
    path("seller/summary/", seller_views.SummaryView.as_view(), name="seller-summary"),
    path("seller/statement/", seller_views.StatementView.as_view(), name="seller-statement"),
    path(
        "seller/statement/export/",
        seller_views.StatementExportView.as_view(),
        name="seller-statement-export",
    ),
    path("seller/balance/", seller_views.BalanceView.as_view(), name="seller-balance"),
    path("seller/payouts/", seller_views.PayoutsView.as_view(), name="seller-payouts"),
    re_path(
        r"^seller/payouts/(?P<payout_id>[0-9]{1,18})/number/$",
        seller_views.PayoutNumberView.as_view(),
        name="seller-payout-number",
    ),
    path("metrics/", watch_views.metrics, name="metrics"),
    path("admin/dashboard/", site.admin_view(backoffice_views.dashboard), name="dashboard"),
    path(
        "admin/dashboard/<slug:key>/csv/",
        site.admin_view(backoffice_views.dashboard_sheet),
        name="dashboard-sheet",
    ),
    path(CONSOLE, site.admin_view(backoffice_views.console), name="console"),
    path(
        f"{CONSOLE}receipt/", site.admin_view(backoffice_views.write_receipt), name="console-write"
    ),
    path(
        f"{CONSOLE}problem/picture/<int:pk>/",
        site.admin_view(backoffice_views.problem_picture),
        name="console-problem-picture",
    ),
    path(
        f"{CONSOLE}<slug:kind>/<int:pk>/",
        site.admin_view(backoffice_views.timeline),
        name="console-timeline",
    ),
    path(
        f"{CONSOLE}<slug:kind>/<int:pk>/<slug:key>/",
        site.admin_view(backoffice_views.act),
        name="console-act",
    ),
]
