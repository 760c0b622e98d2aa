from rest_framework_simplejwt.authentication import JWTAuthentication as Base


class JWTAuthentication(Base):
    pass
