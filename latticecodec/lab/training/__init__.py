"""Training: data, objective, optimiser and loop. Nothing outside this folder imports it, the command line excepted."""
