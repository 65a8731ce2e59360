"""The demo hospital, generated from a seed: the same seed gives the same hospital.

All modules except ``loading`` and ``accounts`` are pure. All people in it are invented.
"""
