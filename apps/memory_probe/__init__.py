"""A long sequence with a few steps that matter in, what they held out: how far back a network remembers."""
