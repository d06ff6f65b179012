"""Frames of a video in, the frames that come next out, for as long as you like; also while the video still comes in."""
