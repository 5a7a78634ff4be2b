"""`--out DIR`: known to take files before any work is done, then written."""

from pathlib import Path

from app.commands.scenario_input import InputError


def writable(directory: Path | None) -> Path | None:
    """The directory, made if need be, or None; InputError when it takes no files."""
    if directory is None:
        return None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".windtunnel-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, ValueError) as error:
        raise InputError(f"--out {str(directory)!r} cannot be written to: {_reason(error)}.") from None
    return directory


def written(files: dict[str, str], directory: Path) -> list[Path]:
    """Write files by name and return their paths; InputError, a sentence, for what cannot be written."""
    paths: list[Path] = []
    for name, content in files.items():
        path = directory / name
        try:
            path.write_text(content, "utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"{str(path)!r} cannot be written: {_reason(error)}.") from None
        paths.append(path)
    return paths


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
