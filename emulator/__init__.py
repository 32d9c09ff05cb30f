"""The runtime: one year of forcing in, one land-use map out. Never torch, never a host."""
