"""File descriptors: a process that hosts agents, sockets and databases takes as many as it may."""

import resource


def take_descriptors() -> int:
    """Raise the soft limit of open files to the hard one, where that is allowed; returns the limit that holds now.

    A soft limit of 1,024 is common and there for programs that use `select`; each agent that is live takes about four.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        return soft
    return hard
