"""The two outcomes of sending, other than sent."""


class NotSent(Exception):
    """Definitely not sent. Its text says why, in one line.

    ``retryable`` says whether the same message may be accepted later.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable


class MaybeSent(Exception):
    """It may have been sent, or not. Its text says what was seen, in one line.

    Never send it again without a person's decision: somebody may get it twice.
    """
