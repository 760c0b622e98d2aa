"""Reads the settings as a process that starts would, without the process."""

import importlib
import os
import sys
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured

import omachemainproj
from tools.deploy_check import PRODUCTION

LAPTOP = {"OMACHE_ENV_FILE": os.devnull}


def settings_of(base, /, **changes):
    """The settings by name, in an environment that holds nothing else; None takes one out."""
    environment = {name: value for name, value in (base | changes).items() if value is not None}
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.dict(sys.modules),
        patch.object(omachemainproj, "settings"),
    ):
        # They are loaded already, for the tests, and stay as they are.
        for name in list(sys.modules):
            if f"{name}.".startswith("omachemainproj.settings."):
                del sys.modules[name]
        return dict(vars(importlib.import_module("omachemainproj.settings")))


def problems_of(base, /, **changes):
    """The sentences that stop the start."""
    try:
        settings_of(base, **changes)
    except ImproperlyConfigured as error:
        return [line.removeprefix("- ") for line in str(error).strip().split("\n")]
    return []


def production(name, **changes):
    """One setting of a complete production in which this is different."""
    return settings_of(PRODUCTION, **changes)[name]
