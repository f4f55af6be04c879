"""Keras 3's files, read without Keras or h5py (writing them needs h5py): `.keras` archives and `.weights.h5`."""
