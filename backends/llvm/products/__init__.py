"""What multiplies: panels, packing, the loops of the cube and its micro-kernel."""
