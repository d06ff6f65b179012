"""A recording of speech in, its transcript out, with the time and confidence of each word; also live."""
