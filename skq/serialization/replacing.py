"""Replace a file atomically: after a crash it has either the old content or the new."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

#: Seconds after its last write from which a temporary file without a lock counts as abandoned.
ABANDONED_AFTER = 3600.0


def replace_file(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    A symbolic link is followed, and the permissions of an existing file do not change. If the path
    is not a regular file (a pipe, ``/dev/null``), the data are written to it directly.
    """
    target = Path(os.path.realpath(path))
    mode = _mode(target)
    if mode is not None and not stat.S_ISREG(mode):
        target.write_bytes(data)
        return
    # a hash is short for any length of the name, and the same for each save of this file
    prefix = f".skq-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"
    _remove_abandoned(target.parent, prefix)
    _remove_of_earlier_releases(target)
    file, temporary = _temporary(target.parent, prefix)
    try:
        with file:
            file.write(data)
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:  # while it is locked: no other process removes it as abandoned
                os.replace(temporary, target)
        if fcntl is None:
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[str]:
    """Give a path to write to, which replaces `path` at the end of the block.

    The path ends in ``.partial``. If the block raises, the file is removed and `path` is unchanged.
    """
    partial = f"{path}.partial"
    try:
        yield partial
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove temporary files that no process has locked: their writer has ended."""
    for abandoned in folder.glob(f"{prefix}*.tmp"):
        with contextlib.suppress(OSError):
            if fcntl is None:
                abandoned.unlink()
                continue
            with open(abandoned, "rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                abandoned.unlink()


def _remove_of_earlier_releases(target: Path) -> None:
    """Remove old temporary files by the names that releases before the locks gave them.

    Those releases do not lock, so only a file that nobody has written to for a while is abandoned.
    """
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{32}}\.tmp")
    latest = time.time() - ABANDONED_AFTER
    for path in target.parent.glob(".*.tmp"):
        if name.fullmatch(path.name):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < latest:
                    path.unlink()


def _temporary(folder: Path, prefix: str) -> tuple[BinaryIO, Path]:
    """Create a temporary file and lock it.

    Another process may remove the file as abandoned before it is locked; then create another one.
    """
    while True:
        path = folder / f"{prefix}{uuid.uuid4().hex[:12]}.tmp"
        file = open(path, "xb")  # noqa: SIM115 (the caller closes it)
        if fcntl is None:
            return file, path
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, path
        file.close()
