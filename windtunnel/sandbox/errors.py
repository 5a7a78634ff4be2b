"""What can go wrong with a sandbox itself, and not with what runs in it."""


class SandboxError(Exception):
    """Nothing was run: `step` of the start failed, for `reason`."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason
