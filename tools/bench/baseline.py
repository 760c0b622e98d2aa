"""The baseline of Django and DRF: a constant view of the API behind all of the shop's middleware.

Its cost above the bare view is what every API request pays before any work.
"""

# First: it sets up Django for the other imports.
from omachemainproj.wsgi import application  # isort: skip

from django.conf import settings
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

__all__ = ["application"]


class ConstantView(APIView):
    """Returns two numbers."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response({"answer": 42, "more": 43})


handler404 = "omachemainproj.api.handlers.not_found"
urlpatterns = [path("constant/", ConstantView.as_view())]
settings.ROOT_URLCONF = __name__
