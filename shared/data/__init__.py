"""Data for all apps: verified downloads, texts, sequences and batches, TensorFlow Datasets."""
