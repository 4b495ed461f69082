"""Forged model files: right checksums, wrong contents. ``python -m tests.fuzz --help``."""
