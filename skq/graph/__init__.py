"""The float graph: ONNX in plain Python and NumPy, its evaluator, and its protobuf form."""
