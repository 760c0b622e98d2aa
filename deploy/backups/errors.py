"""Reasons why a backup or restore fails, with their exit codes."""


class Failed(Exception):
    """It failed. The text is a plain sentence for the operator."""

    code = 1


class Refused(Failed):
    """It would destroy data, or something blocks it. Nothing was changed."""

    code = 4


class Damaged(Failed):
    """The file is incomplete or was changed."""

    code = 5


#: The copy is complete, but ``prove`` finds broken rules in it.
BROKEN_BOOKS = 3
