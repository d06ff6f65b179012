"""Music in, four-voice music out: composes chorales, harmonises a melody, goes on from a beginning, scores surprise."""
