"""The inventory of personal data: what is exported, and what is erased or retained.

Every column that identifies a user or holds their words is listed once: as ``shown`` (in the
export) or ``hidden``, and as ``erased`` or ``retained``, with a reason, when the account is
deleted. A test checks that every model is covered (tests/people/test_inventory.py).
"""

from .account import ACCOUNT
from .buying import BUYING
from .impersonal import IMPERSONAL
from .personal_data import WHOLE, PersonalData
from .selling import SELLING
from .work import WORK

#: In the order of the export.
PERSONAL_DATA = [*ACCOUNT, *SELLING, *BUYING, *WORK]

__all__ = ["IMPERSONAL", "PERSONAL_DATA", "WHOLE", "PersonalData"]
