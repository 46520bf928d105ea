"""One exception for what a user can put right: a bad option, file, folder or device."""


class InputError(ValueError):
    """What came from outside is at fault; the message names what came and what was expected.

    The command line prints the message as one line and exits with status 2.
    """
