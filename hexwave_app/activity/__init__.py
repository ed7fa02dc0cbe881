"""What this worker has just done, kept for a while and within bounds: an observer of the heart a file."""
