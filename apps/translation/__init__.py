"""A sentence in one language, its translation in another: an encoder, attention and a beam search over subwords."""
