"""Boundary files of host models: copies of them with the land use of a year of a run."""
