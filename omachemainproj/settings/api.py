"""The REST API: Django REST framework, its rate limits, and its OpenAPI schema."""

from .base import THROTTLES

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["omachemainproj.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["omachemainproj.api.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "omachemainproj.api.negotiation.ContentNegotiation",
    "DEFAULT_PAGINATION_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "omachemainproj.api.schema.OmacheSchema",
    "DEFAULT_THROTTLE_CLASSES": ["omachemainproj.api.throttles.ScopedThrottle"]
    if THROTTLES
    else [],
    "DEFAULT_THROTTLE_RATES": {
        # Per user or client. Thousands of people share an address at a Kenyan mobile operator, so
        # an address gets twenty times these rates, but only these where a secret can be tried
        # (api/throttles.py). accounts.lockout stops guessing at one name, after five tries.
        "login": "60/min",
        "registration": "20/min",
        "refresh": "300/min",
        "dj_rest_auth": "20/min",
        "account": "60/min",
        "browse": "600/min",
        "search": "60/min",
        # Requested while somebody types, every few letters.
        "suggest": "300/min",
        "create": "30/hour",
        # A seller at work, and their uploads of at most 1,000 rows each.
        "sell": "120/min",
        "import": "30/hour",
        "cashout": "10/min",
        # Requested again for each change of a cart or its destination.
        "quote": "60/min",
        "review": "30/min",
        # With up to three pictures, each of which takes a second to decode.
        "problem": "20/min",
        # An agent at a depot scans one parcel after the other.
        "move": "120/min",
        "deliveries": "120/min",
        "claim": "60/min",
        "poll": "120/min",
        # A user's own data: their profile, their orders.
        "read": "240/min",
        # All data stored about a user.
        "export": "6/hour",
        # Codes by SMS, requested and entered.
        "code": "30/min",
    },
    "EXCEPTION_HANDLER": "omachemainproj.api.handlers.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "O-Mache",
    "DESCRIPTION": "A marketplace that sells what is there, and accounts for every shilling.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This shop."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/",
    # Enums of different fields with the same name, or of the same choices under two names.
    "ENUM_NAME_OVERRIDES": {
        "CategoryEnum": "products.models.Category",
        "ByEnum": "orders.models.Party",
        "TrackStatusEnum": "orders.models.TrackStatus",
        "ProblemKindEnum": "orders.models.ProblemKind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "products.catalogue.openapi.join_product_addresses",
        "payments.webhooks.openapi.describe_webhooks",
        "omachemainproj.api.description.complete",
    ],
}
