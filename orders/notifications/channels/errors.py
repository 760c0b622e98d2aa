"""The two ways in which a message can fail to be known as sent."""


class NotSent(Exception):
    """Definitely not sent. Its text says why, in one line.

    ``again`` says whether the very same message may be taken later.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class MaybeSent(Exception):
    """It may have been sent, or not. Its text says what was seen, in one line.

    Never send it again by itself: a person may get it twice.
    """
