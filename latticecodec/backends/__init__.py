"""Backends: who computes a model's networks in floating point, one file a library."""
