"""Irregular, incomplete patient records in; a calibrated risk at every moment out, with the variables that raise it."""
