"""Mutated files of every kind that a reader takes, each read in a child process.

`make fuzz`, or `python -m tests.fuzz --help` in the repository. A file may be refused, in words
that name it, or accepted; nothing else.
"""
