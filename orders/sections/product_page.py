"""On a product's page: its reservations and sales."""

from __future__ import annotations

from accounts.backoffice.formats import moment
from accounts.backoffice.links import link_to
from accounts.backoffice.row_page import Content, Table, list_of, newest_of, section
from accounts.models import User
from orders.models import OrderTrack, PaymentStatus
from products.models import Product

from .descriptions import SEES_ORDERS, table_of_lines


@section(Product, "holds", "Reserved for", permission=SEES_ORDERS, place=60, below=True)
def show_holds(product: Product, viewer: User) -> Content | None:
    """The unpaid orders that reserve the product. No query if none does."""
    if not product.held:
        return None
    held = OrderTrack.objects.filter(
        product=product.pk, order__payment_status=PaymentStatus.REQUESTED
    )
    lines, has_more = newest_of(held.select_related("order"))
    rows = [
        (link_to(line.order, viewer), str(line.number), moment(line.order.expires_at))
        for line in lines
    ]
    more = None
    if has_more:
        more = list_of(
            OrderTrack, "All reservations", product=product.pk, track_status__exact="created"
        )
    return Table(("Order", "Quantity", "Until"), rows, "None.", more)


@section(Product, "sales", "Sales", permission=SEES_ORDERS, place=70, below=True)
def show_sales_of_product(product: Product, viewer: User) -> Content:
    lines, has_more = newest_of(
        OrderTrack.objects.filter(product=product.pk).select_related("order")
    )
    more = list_of(OrderTrack, "All sales", product=product.pk) if has_more else None
    return table_of_lines(lines, viewer, more)
