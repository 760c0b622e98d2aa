"""The storefront over HTTP: its pages, service worker, sitemaps and robots.txt."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from omachemainproj.http_caching import for_everybody

from . import sitemap as sitemaps
from .build import read_build
from .pages import Writer
from .words import language_of

#: Personal pages, of no use to a search engine.
_PRIVATE = (
    "account",
    "cart",
    "checkout",
    "delivering",
    "email/",
    "join",
    "notices",
    "orders",
    "password/",
    "pay/",
    "selling",
    "sign-in",
)


@for_everybody
@gzip_page
@require_safe
def shop(request: HttpRequest, path: str) -> HttpResponseBase:
    """A rendered page of the storefront. Browsers may store it but have to revalidate.

    If the storefront has not been built, a page with instructions and status 503.
    """
    build = read_build()
    if build is None:
        return render(request, "shop/unbuilt.html", status=503)
    page = Writer(request, build, language_of(request)).page(path.strip("/"))
    body = build.fill(page.filling)
    response = HttpResponse(body, status=page.status)
    patch_vary_headers(response, ["Accept-Language", "Cookie"])
    response["Cache-Control"] = "no-cache"
    if page.status != 200:
        return response
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@for_everybody
@gzip_page
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The storefront's service worker, at an address whose scope includes ``/shop/``.

    Browsers revalidate it each time, so that they notice a new build. 404 if there is none.
    """
    build = read_build()
    script = build.worker() if build else None
    if script is None:
        raise Http404
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@for_everybody
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """robots.txt: search engines may read public pages and the files they need."""
    lines = [
        "User-agent: *",
        "Allow: /shop/",
        *(f"Disallow: /shop/{path}" for path in _PRIVATE),
        "Allow: /static/",
        "Allow: /media/",
        "Allow: /product/",
        "Disallow: /",
        f"Sitemap: {request.build_absolute_uri('/shop/sitemap.xml')}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@for_everybody
@gzip_page
@require_safe
def sitemap(request: HttpRequest, part: str | None = None) -> HttpResponse:
    """The sitemap index, or one sitemap. One beyond the last is empty."""
    base = request.build_absolute_uri("/shop/")
    text = sitemaps.write_index(base) if part is None else sitemaps.write_part(base, int(part))
    response = HttpResponse(text, content_type="application/xml; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    return response
