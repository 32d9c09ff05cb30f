"""Write one year while the next is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Writer:
    """Does writing in a thread of its own, one piece after the other; a context manager.

    An error of a piece is raised at the next one, or at the end. At most one piece waits, so that
    memory holds two years and not more.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="landstep-write")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Writer:
        """Be ready."""
        return self

    def put(self, write: Callable[[], None]) -> None:
        """Have something written, once what was put before is."""
        self.wait()
        self._under_way = self._pool.submit(write)

    def wait(self) -> None:
        """Wait until all is written; raises what went wrong."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def __exit__(self, _: object, error: BaseException | None, *rest: object) -> None:
        """Wait for the last piece; an error that is on its way already goes before its own."""
        try:
            self.wait()
        except Exception:
            if error is None:
                raise
        finally:
            self._pool.shutdown()
