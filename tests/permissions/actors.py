"""Everybody who can ask for something, and the rows they ask for."""

from datetime import timedelta

from django.contrib.admin.sites import site
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import RefreshToken

from accounts import phone_login
from accounts.backoffice import audit
from accounts.guests import guest_with
from accounts.models import PasswordTries, Proposal
from accounts.sessions import open_session
from orders.cashout import LineRequest, place_order
from orders.fulfilment import move_line
from orders.models import OrderTrack, ProblemMessage, ProblemPicture
from orders.models.notifications import Message, Notice
from orders.problems.decisions import withdraw
from orders.problems.services import open_problem
from orders.reviews import review_line
from payments.models import (
    GatewayEvent,
    Payout,
    PayoutDay,
    PayoutStop,
    PortalStatement,
    RefundDay,
    StatementPull,
    Withdrawal,
)
from products.models import ProductPicture
from products.reviews.services import hide_review
from tests.factories import AddressFactory, ProductFactory, UserFactory
from tests.orders.deliveries import paid_delivery
from tests.payments.conftest import ringing
from tests.shopping import an_order, delivered_line, fetched_line, paid_line

BACKEND = "accounts.backends.UsernameOrEmailBackend"
#: The columns of the table. The agent has the delivery role and no way into the admin; the clerk
#: may enter it and has no role.
ACTORS = (
    "anonymous",
    "buyer",
    "other buyer",
    "seller",
    "other seller",
    "agent",
    "support",
    "finance",
    "catalogue",
    "delivery",
    "superuser",
    "clerk",
)
ROLES = {
    "agent": "delivery",
    "support": "support",
    "finance": "finance",
    "catalogue": "catalogue",
    "delivery": "delivery",
}


class World:
    """People, the clients they use, and what the buyer bought of the seller."""

    def __init__(self):
        self.people = {name: self._person(name) for name in ACTORS if name != "anonymous"}
        self.clients = {name: self._client(name) for name in ACTORS}
        buyer, seller = self.people["buyer"], self.people["seller"]
        self.product = ProductFactory(seller=seller, item_number=50)
        ProductFactory(seller=self.people["other seller"])
        self.picture = ProductPicture.objects.create(product=self.product, image="products/a.webp")
        self.unpaid = an_order(self.people["other buyer"], (self.product, 1), phone="254712000001")
        self.unpaid.payments.update(live=False, status="failed")
        self.paid = paid_line(buyer, self.product)
        self.brought = paid_delivery(buyer, (self.product, 1)).tracks.get()
        self.fetched = fetched_line(buyer, self.product)
        self.delivered = delivered_line(buyer, self.product)
        reviewed = delivered_line(buyer, self.product)
        self.review = review_line(track_id=reviewed.pk, buyer=buyer, stars=4)
        rude = delivered_line(buyer, self.product)
        self.hidden = review_line(track_id=rude.pk, buyer=buyer, stars=1)
        hide_review(self.hidden.pk, reason="Rude.")
        self.own = an_order(buyer, (self.product, 1), phone="254712000002")
        self.own.payments.update(live=False, status="failed")
        self.of_guest = place_order(
            buyer=guest_with("254712000007", language="en"),
            lines=[LineRequest(self.product.pk, 1)],
            mpesa_number="254712000007",
        ).order
        self.of_guest.payments.update(live=False, status="failed")
        self.silent = ringing(
            an_order(buyer, (self.product, 1), phone="254712000003").payments.get()
        )
        self.message = GatewayEvent.objects.create(
            body=b"not json", sha256="0" * 64, state="unreadable"
        )
        self._send_money(buyer, seller)
        self._leave_untold(buyer)
        self._report(buyer)
        self._propose()
        audit.log(buyer, "Listed", self.product, action=audit.CHANGED)
        PasswordTries.objects.create(
            key="password.account:0", user=buyer, failures=9, at=timezone.now()
        )
        self.session = open_session(buyer)
        phone_login.link(buyer, "254712000088", timezone.now())
        self.address = AddressFactory(user=buyer)

    def _send_money(self, buyer, seller):
        """Money on its way out, and what keeps it back."""
        Payout.objects.create(seller=seller, phone="254722000001", amount=100, gross=100)
        PayoutDay.objects.create(day="2026-11-24", sent=100)
        RefundDay.objects.create(day="2026-11-24", sent=100)
        PayoutStop.objects.create(reason="A bad password")
        PortalStatement.objects.create(
            shortcode="174379",
            read_from=timezone.now() - timedelta(days=1),
            read_until=timezone.now(),
            rows=1,
            sha256="0" * 64,
        )
        Withdrawal.objects.create(
            number="TKP9999999", shortcode="174379", amount=100, left_at=timezone.now()
        )
        StatementPull.objects.create(shortcode="174379", next_pull_at=timezone.now())
        move_line(paid_line(buyer, self.product).pk, "cancelled", actor=buyer)

    def _report(self, buyer):
        """A problem that is open, with a picture, and a line with one that was withdrawn."""
        self.wrong, self.settled = (delivered_line(buyer, self.product) for _ in range(2))
        for line in (self.wrong, self.settled):
            opened = open_problem(line.pk, buyer=buyer, kind="damaged", text="It broke.")
        withdraw(opened.problem.pk, buyer=buyer)
        message = ProblemMessage.objects.filter(problem__track=self.wrong).get()
        self.evidence = ProblemPicture.objects.create(message=message, image=b"RIFF")

    def _line_of(self, route):
        if "problem" in route:
            return self.settled if route.endswith("problem/") else self.wrong
        return self.paid if "move" in route else self.delivered

    def _propose(self):
        """A cancelling that one of the staff may not decide alone."""
        Proposal.objects.create(
            action="orders.fulfilment_actions.to_cancelled",
            label="Cancel",
            content_type=ContentType.objects.get_for_model(OrderTrack),
            object_id=str(self.delivered.pk),
            object_name=str(self.delivered),
            given={"why": "Broken", "goods_there": False},
            cost=self.delivered.amount,
            proposed_by=UserFactory(is_superuser=True),
        )

    def _leave_untold(self, person):
        """A message that could not be sent, on top of what was told already."""
        notice = Notice.objects.create(key="untold", kind="paid", composed_at=timezone.now())
        self.untold = Message.objects.create(
            notice=notice, user=person, kind="paid", channel="sms", language="en",
            contact="254712000001", text="Paid.", state="failed",
        )  # fmt: skip

    def _person(self, name):
        person = UserFactory(
            username=name.replace(" ", "-"),
            email=f"{name.replace(' ', '-')}@example.com",
            is_superuser=name == "superuser",
            is_staff=name in {*ROLES, "superuser", "clerk"} - {"agent"},
        )
        if name in ROLES:
            person.groups.add(Group.objects.get(name=ROLES[name]))
        return person

    def _client(self, name):
        if name == "anonymous":
            return Client(raise_request_exception=False)
        person = self.people[name]
        token = RefreshToken.for_user(person).access_token
        # One world serves all routes, on a slow machine for longer than a token lives.
        token.set_exp(lifetime=timedelta(days=1))
        client = Client(HTTP_AUTHORIZATION=f"Bearer {token}", raise_request_exception=False)
        client.force_login(person, backend=BACKEND)
        return client

    def values(self, route):
        """What stands in the variable places of a route's address."""
        return {
            "product_id": self.product.pk,
            "category": "kitchen",
            "review_id": self.review.pk,
            "session_id": self.session.pk,
            "address_id": self.address.pk,
            "payout_id": Payout.objects.values_list("pk", flat=True).first(),
            "username": self.people["seller"].username,
            "track_id": self._line_of(route).pk,
            "picture_id": (self.evidence if "problem" in route else self.picture).pk,
            "order_token": self.own.order_token,
            "token": "no-such-token",
            "bank": "equity",
            "path": "products/none.webp",
            "part": 0,
            "app_label": "products",
            "object_id": self._row_of(route),
            "content_type_id": 1,
            "kind": "order",
            "parcel_id": self.brought.parcel_id,
            "pk": self.evidence.pk if "picture" in route else self.paid.order_id,
            "key": "none",
            "url": "nowhere",
            "id": self.people["buyer"].pk,
        }

    def row_for(self, route, action):
        """A row that an action has something to do with."""
        if route.endswith("review/"):
            return (self.hidden if action == "show" else self.review).pk
        rows = {
            "cancel": self.unpaid,
            "ring": self.unpaid,
            "ask": self.silent,
            "to_fetched": self.paid,
            "to_shipping": self.fetched,
            "to_delivered": self.fetched,
            "to_cancelled": self.paid,
            "give_fee_back": self.brought,
            "send_again": self.untold,
        }
        return rows[action].pk if action in rows else self._row_of(route)

    def _row_of(self, route):
        for model in site._registry:
            if route.startswith(f"admin/{model._meta.app_label}/{model._meta.model_name}/"):
                row = model.objects.filter(**_row(model, self)).first()
                return row.pk if row else 1
        return 1


def _row(model, world):
    return {"pk": world.people["buyer"].pk} if model._meta.model_name == "user" else {}
