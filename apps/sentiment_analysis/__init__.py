"""A text in, its sentiment out: negative, neutral or positive, with calibrated probabilities and an explanation."""
