"""Django's and DRF's own floor: a constant view of the API behind all of the shop's middleware.

What it costs above the bare view is what every request of the API pays before any work.
"""

# First, since it makes Django ready for what the others import.
from omachemainproj.wsgi import application  # isort: skip

from django.conf import settings
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

__all__ = ["application"]


class ConstantView(APIView):
    """Answers two numbers."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response({"answer": 42, "more": 43})


handler404 = "omachemainproj.api.handlers.not_found"
urlpatterns = [path("constant/", ConstantView.as_view())]
settings.ROOT_URLCONF = __name__
