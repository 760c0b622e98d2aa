"""Amounts of money as people read them. Knows nothing of Django."""


def format_kes(amount: int) -> str:
    """Whole shillings as they are written in Kenya: ``KES 1,234``."""
    return f"KES {amount:,}"
