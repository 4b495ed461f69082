"""Tests of skq; a package, so that no other package named tests is imported instead."""
