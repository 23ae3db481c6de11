"""What runs a model's networks: numpy arrays in, numpy arrays out."""
