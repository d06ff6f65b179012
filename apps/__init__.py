"""The gallery: one folder per app, each runnable as `python -m apps.<app>`."""
