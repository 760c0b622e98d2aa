"""The books are in order: the rules are those of ``manage.py prove`` (payments/proof/prove.py).

``tests/orders`` and ``tests/payments`` check it after every test. A test elsewhere that moves
orders or money says ``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

from payments.proof import agreements, bounds, messages, originals, people, rules, staff
from payments.proof.prove import prove

#: What somebody with SQL could change, and no code of the shop's does: asked of whole days of trade
#: (the demo's, the simulation's, the crash scenes') and in tests/proof, not after each test.
_BY_HAND_ONLY = {
    module.__name__ for module in (agreements, bounds, messages, originals, people, staff)
}
_RULES = [rule for rule in rules.RULES if rule.breaking.__module__ not in _BY_HAND_ONLY]


def check_books() -> None:
    """Raise AssertionError with every broken rule."""
    broken = [str(found) for found in prove(rules=_RULES).broken]
    assert not broken, "the books are broken:\n" + "\n".join(broken)
