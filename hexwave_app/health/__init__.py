"""Whether what the app stands on does its work, and what to do where it does not."""
