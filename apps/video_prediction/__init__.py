"""Frames of a video in, the next frames out, as many as you like, from a file or a live stream."""
