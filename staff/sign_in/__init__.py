"""Tries to sign in: limits, counts, known devices, and their trail."""
