"""Sitemaps of all listed products, 1,000 ids per file."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.db.models import Max

from products.models import Product

from .heads import product_path
from .words import CATEGORY_NAMES

IDS_PER_FILE = 1000
_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write_index(base: str) -> str:
    """The sitemap index. File 0 has the pages that are not products. One query."""
    last = Product.objects.aggregate(last=Max("pk"))["last"] or 0
    files = range(last // IDS_PER_FILE + 2) if last else range(1)
    places = "".join(f"<sitemap><loc>{escape(base)}sitemap-{n}.xml</loc></sitemap>" for n in files)
    return f"{_XML}<sitemapindex {_SPACE}>{places}</sitemapindex>\n"


def write_part(base: str, number: int) -> str:
    """One sitemap. File 0: home and categories. File n: products with ids from 1,000 × (n - 1).

    At most one query.
    """
    if number == 0:
        paths = ["", *(f"category/{name}" for name in CATEGORY_NAMES)]
    else:
        first = IDS_PER_FILE * (number - 1)
        listed = Product.objects.listed().filter(pk__gte=first, pk__lt=first + IDS_PER_FILE)
        paths = [product_path(product) for product in listed.order_by("pk").values("id", "name")]
    places = "".join(f"<url><loc>{escape(base + path)}</loc></url>" for path in paths)
    return f"{_XML}<urlset {_SPACE}>{places}</urlset>\n"
