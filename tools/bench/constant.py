"""The unit of measurement: a bare Django view, no middleware, a constant JSON of 25 products."""

import json

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

BODY = json.dumps(
    [
        {
            "id": number,
            "name": f"Product {number}",
            "image": f"http://127.0.0.1/media/products/{number:032x}.webp",
            "thumbnail": f"http://127.0.0.1/media/products/{number:032x}.thumb.webp",
            "description": "A constant thing that nobody sells.",
            "category": "kitchen",
            "price": 1500,
            "item_number": 5,
            "soldout": False,
            "user_name": "amina",
            "created_at": "2026-11-23T12:00:00+03:00",
            "stars": 4.6,
            "reviews": 17,
        }
        for number in range(25)
    ]
).encode()


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type="application/json")


urlpatterns = [path("constant/", constant)]

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY="nothing is signed here",
    ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=[],
)
application = get_wsgi_application()
