"""Attachment: Keras 3's files, `.keras` archives and `.weights.h5`. Nothing of the engine depends on it.

They are read without Keras or h5py (writing them needs h5py). The other files of `saving/`, which choose a
format by the name of a file, import it, and nothing else does.
"""
