"""The pictures of the caller's products over HTTP."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from omachemainproj.api.parsers import StrictJSONParser, StrictMultiPartParser
from products.catalogue.queries import read_gallery
from products.catalogue.representation import ProductRepresentation
from products.models import Product

from . import openapi
from .pictures import add_picture, order_pictures, remove_picture
from .serializers import PictureInput, PictureOrderInput
from .views import own_product


class PicturesView(APIView):
    """All pictures of one of the caller's products."""

    parser_classes = [StrictJSONParser, StrictMultiPartParser]
    throttle_scope = "sell"

    @extend_schema(**openapi.PICTURES_OF)
    def get(self, request: Request, product_id: str) -> Response:
        return _answer(request, own_product(request, product_id))

    @extend_schema(**openapi.ADD_PICTURE)
    def post(self, request: Request, product_id: str) -> Response:
        product = own_product(request, product_id)
        serializer = PictureInput(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        add_picture(product.pk, serializer.validated_data["image"])
        answer = _answer(request, product)
        answer.status_code = status.HTTP_201_CREATED
        return answer

    @extend_schema(**openapi.ORDER_PICTURES)
    def put(self, request: Request, product_id: str) -> Response:
        product = own_product(request, product_id)
        serializer = PictureOrderInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        order_pictures(product.pk, serializer.validated_data["order"])
        return _answer(request, product)


class PictureView(APIView):
    """One picture of one of the caller's products."""

    throttle_scope = "sell"

    @extend_schema(**openapi.REMOVE_PICTURE)
    def delete(self, request: Request, product_id: str, picture_id: str) -> Response:
        remove_picture(own_product(request, product_id).pk, int(picture_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(request: Request, product: Product) -> Response:
    return Response(ProductRepresentation(request).pictures(read_gallery(product.pk)))
