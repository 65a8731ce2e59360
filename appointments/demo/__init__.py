"""The demo hospital: made by code from a seed number, so that the same seed is the same hospital.

Everything but ``loading`` and ``accounts`` is pure. Nobody in it exists.
"""
