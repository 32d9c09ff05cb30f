"""Edits of a file's bytes: what disks, networks and text editors do to files, and worse."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

SPAN = 2**16
"""Places are drawn as shares of the file, in this many parts, so that edits fit any file."""

ODD = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, 1 << 60, (1 << 64) - 1)
"""Counts, offsets and lengths at which readers of binary formats slip."""


@dataclass(frozen=True)
class ByteEdit:
    """One edit: what, where (0..SPAN), how many bytes, and bytes or a number to put there."""

    what: str
    place: int
    length: int
    data: bytes

    def apply(self, content: bytes) -> bytes:
        """Return the edited content."""
        n = len(content)
        if not n:
            return self.data
        at = min(n - 1, self._place(n))
        end = min(n, at + self.length)
        return bytes(getattr(self, f"_{self.what}")(bytearray(content), at, end))

    def _place(self, n: int) -> int:
        """Half of the edits fall evenly, the others mostly near the front, where headers are."""
        share = self.place / SPAN
        return int(n * (share if self.place % 2 else share**4))

    def _flip(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at] ^= 1 << self.length % 8
        return content

    def _put(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at : at + len(self.data)] = self.data
        return content

    def _insert(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at:at] = self.data
        return content

    def _delete(self, content: bytearray, at: int, end: int) -> bytearray:
        del content[at:end]
        return content

    def _cut(self, content: bytearray, at: int, end: int) -> bytearray:
        return content[: self.place * len(content) // SPAN]

    def _zeros(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at:end] = bytes(end - at)
        return content

    def _ones(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at:end] = b"\xff" * (end - at)
        return content

    def _double(self, content: bytearray, at: int, end: int) -> bytearray:
        content[at:at] = content[at:end]
        return content

    def _copy(self, content: bytearray, at: int, end: int) -> bytearray:
        """Put a block of the file over another place of the same file."""
        other = self.place * 7919 % len(content)
        piece = content[at:end]
        content[other : other + len(piece)] = piece
        return content

    def _number(self, content: bytearray, at: int, end: int) -> bytearray:
        """Put an odd number of 1, 2, 4 or 8 bytes where one may stand, in either order."""
        size = (1, 2, 4, 8)[self.length % 4]
        order = ("little", "big")[self.length // 4 % 2]
        number = ODD[self.length // 8 % len(ODD)] % (1 << 8 * size)
        at -= at % size
        content[at : at + size] = number.to_bytes(size, order)
        return content

    def _append(self, content: bytearray, at: int, end: int) -> bytearray:
        return content + self.data * max(1, self.length)


WHATS = (
    "flip", "put", "insert", "delete", "cut", "zeros", "ones", "double", "copy", "number", "number",
    "number", "flip", "append",
)  # fmt: skip

edits = st.builds(
    ByteEdit,
    st.sampled_from(WHATS),
    st.integers(0, SPAN - 1),
    st.one_of(st.integers(0, 255), st.integers(0, 4096)),
    st.binary(min_size=1, max_size=12),
)


def edited(content: bytes, steps: list[ByteEdit]) -> bytes:
    """Return content after some edits, one after the other."""
    for step in steps:
        content = step.apply(content)
    return content
