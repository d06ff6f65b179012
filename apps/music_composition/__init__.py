"""Music in, four-voice music out: composes chorales, harmonises melodies, continues pieces, measures surprise."""
