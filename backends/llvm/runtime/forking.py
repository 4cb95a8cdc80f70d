"""Locks that a forked process can use."""

import os
import threading


def make_lock() -> threading.Lock:
    """Return a lock that nobody holds in a forked process, for a fork waits until it is free.

    What it guards is then whole there too; a lock that another thread held at that moment would
    stay locked for ever, as that thread is not in the new process.
    """
    lock = threading.Lock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock
