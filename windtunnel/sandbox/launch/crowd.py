"""Everything that a run has started: found and ended, however it hides from its parents."""

import os
import signal


class Inhabitants:
    """All processes of a pid namespace whose first one we are."""

    def members(self) -> list[int]:
        """Their pids, without ours."""
        return [int(name) for name in os.listdir("/proc") if name.isdecimal() and name != "1"]

    def send(self, number: int) -> None:
        """Send all of them the signal."""
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            return


class Descendants:
    """All processes below ours, orphans included, since we adopt them. Who kills us first, escapes."""

    def members(self) -> list[int]:
        """Their pids."""
        found: list[int] = []
        waiting = [os.getpid()]
        while waiting:
            children = _children(waiting.pop())
            found += children
            waiting += children
        return found

    def send(self, number: int) -> None:
        """Send all of them the signal."""
        if number == signal.SIGKILL:
            self._stop()  # so that nobody starts another one meanwhile
        _send(self.members(), number)

    def _stop(self) -> None:
        known: set[int] = set()
        while new := [pid for pid in self.members() if pid not in known]:
            known.update(new)
            _send(new, signal.SIGSTOP)


Crowd = Inhabitants | Descendants


def bury() -> dict[int, int]:
    """The wait statuses of our children that have ended, by pid. Raises ChildProcessError when we have none left."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            if ended:
                return ended
            raise
        if pid == 0:
            return ended
        ended[pid] = status


def end(crowd: Crowd) -> None:
    """Kill all of them and bury them. To be called with SIGCHLD blocked."""
    while True:
        crowd.send(signal.SIGKILL)
        try:
            bury()
        except ChildProcessError:
            return
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)


def _send(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _children(pid: int) -> list[int]:
    found = b""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            descriptor = os.open(f"/proc/{pid}/task/{task}/children", os.O_RDONLY)
            try:
                while part := os.read(descriptor, 65536):
                    found += part
            finally:
                os.close(descriptor)
            found += b" "
    except OSError:  # it has ended since
        pass
    return [int(word) for word in found.split()]
