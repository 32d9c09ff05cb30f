"""Makes and converts inputs. Holds no data."""
