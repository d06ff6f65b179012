"""What the apps share: recurrent layers, data, decoding, runs. Each module is imported only where it is used."""


class InputError(ValueError):
    """What the user gave cannot be used; its one line says what was expected, what came and what to do."""


class MissingFileError(InputError, FileNotFoundError):
    """A file the user named, or that a command needs, is not there."""

    def __str__(self) -> str:
        """The one line itself: OSError would print it as a tuple."""
        return str(self.args[0])
