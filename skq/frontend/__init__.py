"""The frontend: fitted scikit-learn estimators, torch modules and ONNX models → `FloatGraph`.

torch, Hummingbird and onnx are imported inside functions, when something is converted.
"""
