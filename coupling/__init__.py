"""From maps to the fields of a host model: remapping, the C interface, the Python coupler."""
