"""Data for all apps: verified downloads, text, sequences and batches, TensorFlow Datasets."""
