"""Speed and memory beside stock Keras and PyTorch: `make bench`."""
