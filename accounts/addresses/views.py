"""Addresses and counties over HTTP."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import current_user
from accounts.counties import County
from accounts.models import Address
from omachemainproj.api.parameters import refuse_unknown

from . import openapi, services
from .serializers import AddressInput, AddressOutput, CountyOutput

#: There were 47 counties in 2010 and there are 47 now.
_COUNTIES_CACHING = "public, max-age=86400"


class AddressesView(GenericAPIView):
    """The caller's addresses."""

    queryset = Address.objects.none()
    serializer_class = AddressInput
    throttle_scope = "account"

    @extend_schema(**openapi.LIST)
    def get(self, request: Request) -> Response:
        """The caller's addresses, the default first, then the newest; at most ten."""
        refuse_unknown(request, ())
        listed = Address.objects.of(current_user(request)).as_listed()
        return Response(AddressOutput(listed, many=True).data)

    @extend_schema(**openapi.ADD)
    def post(self, request: Request) -> Response:
        """Add an address. The first is the default; the same address is not stored twice (200). A
        new default or collection place replaces the old one."""
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        added = services.add_address(current_user(request), form.validated_data)
        code = status.HTTP_201_CREATED if added.is_new else status.HTTP_200_OK
        return Response(AddressOutput(added.address).data, status=code)


class AddressView(GenericAPIView):
    """One of the caller's addresses; others are a 404."""

    queryset = Address.objects.none()
    serializer_class = AddressInput
    throttle_scope = "account"

    @extend_schema(**openapi.GET)
    def get(self, request: Request, address_id: str) -> Response:
        """One of the caller's own addresses."""
        address = Address.objects.of(current_user(request)).filter(pk=int(address_id)).first()
        if address is None:
            raise NotFound
        return Response(AddressOutput(address).data)

    @extend_schema(**openapi.CHANGE)
    def patch(self, request: Request, address_id: str) -> Response:
        """Change only the fields sent. Existing orders keep their copy."""
        form = self.get_serializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        try:
            changed = services.change_address(
                current_user(request), int(address_id), form.validated_data
            )
        except Address.DoesNotExist as error:
            raise NotFound from error
        return Response(AddressOutput(changed).data)

    @extend_schema(**openapi.DELETE)
    def delete(self, request: Request, address_id: str) -> Response:
        """Delete an address. If it was the default, the newest one left becomes the default; a
        collection place is not replaced."""
        try:
            services.delete_address(current_user(request), int(address_id))
        except Address.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class CountiesView(GenericAPIView):
    """Kenya's counties."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = CountyOutput
    pagination_class = None
    throttle_scope = "browse"

    @extend_schema(**openapi.COUNTIES)
    def get(self, request: Request) -> Response:
        """The 47 counties, in the order of the Constitution. Keys do not change."""
        refuse_unknown(request, ())
        listed = [{"key": key, "name": name} for key, name in County.choices]
        response = Response(CountyOutput(listed, many=True).data)
        response["Cache-Control"] = _COUNTIES_CACHING
        return response
