"""The entropy model: which integer frequency table codes which symbol."""
