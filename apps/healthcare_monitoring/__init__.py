"""Irregular, incomplete patient records in, a calibrated risk and what raised it out, at every moment of the stay."""
