"""fal, whose queue runs image models."""
