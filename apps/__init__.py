"""The gallery: one folder an app, each runnable as `python -m apps.<app>`."""
