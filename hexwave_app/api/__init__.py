"""The HTTP API: one resource a file, no logic beyond HTTP."""
