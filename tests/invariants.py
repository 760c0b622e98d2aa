"""The books are in order: the rules are those of ``manage.py prove`` (payments/proof/prove.py).

``tests/orders`` and ``tests/payments`` check it after every test. A test elsewhere that moves
orders or money says ``@pytest.mark.usefixtures("balanced_books")``, or calls ``check_books()``.
"""

from payments.proof.prove import prove


def check_books() -> None:
    """Raise AssertionError with every broken rule."""
    broken = [str(found) for found in prove().broken]
    assert not broken, "the books are broken:\n" + "\n".join(broken)
