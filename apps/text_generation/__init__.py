"""Text in, more text of the same kind out: a character or word language model that one can sample from."""
