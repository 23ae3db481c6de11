"""Squares of a picture that are stored without the networks: which, in what colours, and how."""
