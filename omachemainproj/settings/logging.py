"""Logs."""

from .base import PRODUCTION, env

#: Whether each request is logged, in one line.
ACCESS_LOG = env.switch("ACCESS_LOG", default=PRODUCTION)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "refusals": {"()": "omachemainproj.logs.RefusalFilter"},
        "private": {"()": "omachemainproj.logs.PrivateFilter"},
    },
    "formatters": {
        "plain": {"()": "omachemainproj.logs.PlainFormatter"},
        "json": {"()": "omachemainproj.logs.JSONFormatter"},
        "access": {"()": "omachemainproj.access_log.JSONLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "plain",
            "filters": ["refusals", "private"],
        },
        # It contains no path, no user and nothing chosen by a client: there is nothing to mask.
        "access": {
            "class": "logging.StreamHandler",
            "formatter": "access" if PRODUCTION else "plain",
            "filters": [] if PRODUCTION else ["private"],
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        # runserver's own request log would bypass the filter above.
        "django.server": {"handlers": ["console"], "propagate": False, "level": "WARNING"},
        # The access log has a line for each refusal: with another, one costs a fifth more.
        "django.request": {"level": "ERROR" if ACCESS_LOG else "WARNING"},
        "django.utils.autoreload": {"level": "WARNING"},
        "omache.access": {"handlers": ["access"], "propagate": False, "level": "INFO"},
        "urllib3": {"level": "WARNING"},
    },
}
