"""The two outcomes of sending other than success."""


class NotSent(Exception):
    """Definitely not sent. Its text says why, in one line.

    ``retryable`` says whether the same message may be accepted later.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


class MaybeSent(Exception):
    """It may or may not have been sent. Its text says what was observed, in one line.

    Send it again only if a staff member decides so: the recipient may get it twice.
    """
