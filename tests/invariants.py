"""The books are in order: the rules are those of ``manage.py prove`` (payments/proof/prove.py).

``tests/orders`` and ``tests/payments`` check it after every test. A test elsewhere that moves
orders or money says ``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

from payments.proof.prove import prove

_WHO_GAVE_ROLES = "Whoever has a role or a permission of their own was given it"


def check_books() -> None:
    """Raise AssertionError with every broken rule, but the one that asks who gave people roles.

    Tests give them by themselves (factories.give_role); tests/proof puts that rule to the test.
    """
    broken = [str(found) for found in prove().broken if not found.rule.startswith(_WHO_GAVE_ROLES)]
    assert not broken, "the books are broken:\n" + "\n".join(broken)
