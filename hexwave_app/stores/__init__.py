"""Where processes are kept."""
