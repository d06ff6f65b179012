"""A long sequence with a few steps that matter in, what it was to remember out: how far back a network sees."""
