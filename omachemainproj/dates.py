"""The shop's time zone. Knows nothing of Django.

Django's TIME_ZONE is the same one; this is for times that M-Pesa writes, and for the day that a
limit of M-Pesa's is counted in.
"""

from datetime import timedelta, timezone

#: UTC+3, the whole year.
NAIROBI = timezone(timedelta(hours=3), "EAT")
