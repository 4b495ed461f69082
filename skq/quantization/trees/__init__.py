"""Quantization of tree ensembles: bin edges, surrogate splits, leaf values."""
