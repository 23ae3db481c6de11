"""docs/papers.md and its plots."""
