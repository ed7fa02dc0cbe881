"""Hexwave: prompts become pictures, live; the live status of long jobs for any Reflex app."""
