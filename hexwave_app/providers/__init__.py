"""External APIs, one a file."""
