"""A recording of speech in, its words out, with their times and confidence; also while the sound is still coming."""
