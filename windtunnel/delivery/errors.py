"""Why something is not sent."""


class RefusedError(Exception):
    """The webhook may not be sent there, or cannot be for now; `reason` is a sentence for whoever registered it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BusyError(Exception):
    """So many hosts are being looked up that this one has to wait; nothing was found out about it."""
