"""Lowering: operators write instructions of the integer program."""
