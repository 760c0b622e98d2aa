from django.db import migrations
from django.db.models import Max, OuterRef, Subquery, Sum

#: So many products at a time: a statement has five seconds.
BATCH = 10_000


def count_sold(apps, schema_editor):
    """What left each shelf for orders so far, less what came back."""
    product, movement = (apps.get_model("products", name) for name in ("Product", "StockMovement"))
    sales = movement.objects.filter(reference__regex="^(order|return):")
    moves = sales.filter(product=OuterRef("pk")).order_by().values("product")
    left = Subquery(moves.annotate(left=-Sum("quantity")).values("left"))
    last = product.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, BATCH):
        sold = sales.filter(product__gte=first, product__lt=first + BATCH).values("product")
        product.objects.filter(pk__in=sold).update(sold=left)


class Migration(migrations.Migration):

    dependencies = [("products", "0004_sellers_tools")]

    operations = [migrations.RunPython(count_sold, migrations.RunPython.noop)]
