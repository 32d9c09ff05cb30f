"""How host cells lie on the map: the geometry behind `coupling/remap.py`."""
