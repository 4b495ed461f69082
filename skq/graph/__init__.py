"""The float graph: ONNX in plain Python and NumPy, its evaluator, and protobuf input and output."""
