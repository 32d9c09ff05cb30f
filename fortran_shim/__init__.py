"""The Fortran module for hosts and a small example host."""
