"""A text in, its sentiment out: negative, neutral or positive, how sure that is, and which words decided it."""
