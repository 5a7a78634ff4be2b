"""How a run ended."""

from dataclasses import dataclass

from windtunnel.domain.confinement import Limit, Usage


@dataclass(frozen=True, slots=True)
class Outcome:
    """`exit_status` is negative for the signal that ended the command, None when the launcher itself was killed.

    Of stdout and stderr there is as much as the limit of output allows. `breach` is the limit that ended the run.
    """

    exit_status: int | None
    stdout: bytes
    stderr: bytes
    breach: Limit | None
    usage: Usage

    @property
    def succeeded(self) -> bool:
        """Whether the command ended by itself, with exit status 0."""
        return self.exit_status == 0 and self.breach is None
