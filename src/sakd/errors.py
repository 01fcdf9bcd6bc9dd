"""The one exception that is meant for the user's eyes."""


class UserError(ValueError):
    """Something the user can mend.

    The message is one line: the value found, what is allowed, and the remedy.
    """


def require(fine: bool, complaint: str) -> None:
    """Raise `UserError` with ``complaint`` unless ``fine``.

    Raises:
        UserError: not ``fine``.
    """
    if not fine:
        raise UserError(complaint)
