"""Export to ONNX: the integer program in standard ONNX operators.

==================== ==============================================================================
module               content
==================== ==============================================================================
``to_onnx``          the public function: check, metadata, ``onnx.ModelProto``
``interface``        what is exported: module, labels, inputs and outputs by name
``builder``          `GraphBuilder`: nodes, constants, casts
``program_graph``    an `IntegerProgram` as nodes, by one rule for each instruction
``rules``            the rules that all forms of the model share
``quantizers``       rules of Quantize, Bin and Dequantize
``rescale``          rules of Requantize and Table in 64-bit integers
``tree_walk``        rule of Trees by gathers of integers
``fast``             rules of ``form="fast"``: integers held in floats
``tree_ensemble``    trees as ``TreeEnsembleRegressor`` (ai.onnx.ml 3)
``tree_ensemble_5``  trees as ``TreeEnsemble`` (ai.onnx.ml 5)
``tree_splits``      splits of both on reals, or on codes in floats
``epilogue``         the float functions after the dequantized scores
``qdq``              rules of ``form="qdq"``: QuantizeLinear and DequantizeLinear
==================== ==============================================================================
"""

from skq.export.onnx_integer.to_onnx import to_onnx

__all__ = ["to_onnx"]
