from drf_spectacular.openapi import AutoSchema


class OmacheSchema(AutoSchema):
    pass
