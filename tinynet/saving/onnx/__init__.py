"""Attachment: models written as ONNX graphs, for other runtimes. Nothing of the engine depends on it.

It is imported when `model.export` is called. A layer needs no converter: `export` names one that has none.
"""
