"""An attachment, which nothing else in tinynet needs: models written as ONNX graphs, for other runtimes."""
