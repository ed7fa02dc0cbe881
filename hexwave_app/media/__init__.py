"""Results as our own files."""
