"""Why a backup or a restore ends, and with which exit code."""


class Failed(Exception):
    """It could not be done. Its text is a plain sentence for whoever is awake."""

    code = 1


class Refused(Failed):
    """It would have destroyed something, or something is in its way. Nothing was changed."""

    code = 4


class Damaged(Failed):
    """The file is not what was backed up."""

    code = 5


#: What was copied is whole, and ``prove`` names broken rules in it.
BROKEN_BOOKS = 3
