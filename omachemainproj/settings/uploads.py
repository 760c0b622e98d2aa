"""The largest request bodies, and how uploaded files are received."""

#: The largest bodies we read, in bytes. The parser limits JSON, their fields limit pictures.
JSON_BODY_MAX = 64 * 1024
CSV_BODY_MAX = 2 * 1024 * 1024
MULTIPART_BODY_MAX = 13 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "omachemainproj.bodies.ClosedForms",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o644
