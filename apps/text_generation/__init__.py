"""Text in, more text of the same kind out: a character-level or word-level language model."""
