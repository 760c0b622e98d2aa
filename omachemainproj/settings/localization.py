"""Language, time zone and formats."""

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Africa/Nairobi"
USE_I18N = True
#: One way to write dates, in the admin too.
FORMAT_MODULE_PATH = "omachemainproj.formats"
USE_TZ = True
