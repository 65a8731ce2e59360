"""Printed sheets: a page without other files, and a PDF of it."""
