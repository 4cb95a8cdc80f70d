"""Convolutions in place: maps read where they lie, and what of their products is not zero."""
