"""The inventory of personal data: what is exported, and what is erased or kept.

Every column that identifies a user or holds their words is listed once: as ``shown`` (in the
export) or ``hidden``, and as ``goes`` or ``stays``, with a reason, when the account is deleted. A
test checks that every model is covered (tests/people/test_inventory.py).
"""

from .account import ACCOUNT
from .buying import BUYING
from .holding import WHOLE, Holding
from .impersonal import IMPERSONAL
from .selling import SELLING
from .work import WORK

#: In the order of the export.
HOLDINGS = [*ACCOUNT, *SELLING, *BUYING, *WORK]

__all__ = ["HOLDINGS", "IMPERSONAL", "WHOLE", "Holding"]
