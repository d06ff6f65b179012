"""Code shared by all apps: recurrent layers, data, decoding, runs. Each module is imported only where it is used."""


class InputError(ValueError):
    """Invalid user input. The one-line message says what was expected, what was received and what to do."""


class MissingFileError(InputError, FileNotFoundError):
    """A file that the user named, or that a command needs, does not exist."""

    def __str__(self) -> str:
        """Returns the message itself, which OSError would print as a tuple."""
        return str(self.args[0])
