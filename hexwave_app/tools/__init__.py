"""What people can run, and the run itself."""
