"""The paper: what stands on a unit's sheet, as a page and as a PDF."""
