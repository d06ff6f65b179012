"""A sentence in one language in, its translation out: encoder, decoder with attention, beam search over subwords."""
