"""The backends that come with tilelang, one folder each."""
