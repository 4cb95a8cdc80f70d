"""Everything element by element: nests of loops, expressions, maps, reductions, casts."""
