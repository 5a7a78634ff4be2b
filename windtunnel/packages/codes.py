"""What can be wrong with a package: the code, how bad it is, and what to do about it. The one table."""

from dataclasses import dataclass
from enum import StrEnum

from windtunnel.domain.failures import Severity
from windtunnel.domain.policy import PACKAGE_DEPTH_MAX, PACKAGE_FILES_MAX, PACKAGE_PATH_MAX_CHARS, PACKAGE_RATIO_MAX


class Code(StrEnum):
    """The codes of findings, by what they are about."""

    ARCHIVE_TOO_LARGE = "ARCHIVE_TOO_LARGE"
    ARCHIVE_UNREADABLE = "ARCHIVE_UNREADABLE"
    ARCHIVE_EXTRA_DATA = "ARCHIVE_EXTRA_DATA"
    ARCHIVE_MISMATCH = "ARCHIVE_MISMATCH"
    ARCHIVE_ZIP64 = "ARCHIVE_ZIP64"
    ARCHIVE_TOO_MANY_FILES = "ARCHIVE_TOO_MANY_FILES"
    ARCHIVE_BOMB = "ARCHIVE_BOMB"
    ARCHIVE_NOT_CANONICAL = "ARCHIVE_NOT_CANONICAL"
    ENTRY_ENCRYPTED = "ENTRY_ENCRYPTED"
    ENTRY_METHOD = "ENTRY_METHOD"
    ENTRY_LINK = "ENTRY_LINK"
    ENTRY_SPECIAL = "ENTRY_SPECIAL"
    ENTRY_DIRECTORY = "ENTRY_DIRECTORY"
    ENTRY_DAMAGED = "ENTRY_DAMAGED"
    PATH_TRAVERSAL = "PATH_TRAVERSAL"
    PATH_ABSOLUTE = "PATH_ABSOLUTE"
    PATH_BACKSLASH = "PATH_BACKSLASH"
    PATH_DRIVE = "PATH_DRIVE"
    PATH_CHARACTERS = "PATH_CHARACTERS"
    PATH_UNSAFE = "PATH_UNSAFE"
    PATH_TOO_LONG = "PATH_TOO_LONG"
    PATH_TOO_DEEP = "PATH_TOO_DEEP"
    PATH_DUPLICATE = "PATH_DUPLICATE"
    MANIFEST_MISSING = "MANIFEST_MISSING"
    MANIFEST_NOT_FIRST = "MANIFEST_NOT_FIRST"
    MANIFEST_UNREADABLE = "MANIFEST_UNREADABLE"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    NAMESPACE_FOREIGN = "NAMESPACE_FOREIGN"
    FILE_UNLISTED = "FILE_UNLISTED"
    FILE_MISSING = "FILE_MISSING"
    FILE_DIFFERENT = "FILE_DIFFERENT"
    REFERENCE_MISSING = "REFERENCE_MISSING"
    CLASSIFICATION_UNDERSTATED = "CLASSIFICATION_UNDERSTATED"
    MORE_FINDINGS = "MORE_FINDINGS"


class Passed(StrEnum):
    """The codes of checks that found nothing."""

    ARCHIVE_SOUND = "ARCHIVE_SOUND"
    MANIFEST_VALID = "MANIFEST_VALID"
    FILES_COMPLETE = "FILES_COMPLETE"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a finding with a code always says."""

    severity: Severity
    remediation: str


_REBUILD = "Build the archive with `windtunnel package build`."
_RENAME = "Rename the file: small relative paths with `/` between their parts work everywhere."

RULES: dict[Code, Rule] = {
    Code.ARCHIVE_TOO_LARGE: Rule(Severity.HIGH, "Leave out what the agent does not need to run."),
    Code.ARCHIVE_UNREADABLE: Rule(Severity.HIGH, f"The file is cut short, damaged or no zip archive. {_REBUILD}"),
    Code.ARCHIVE_EXTRA_DATA: Rule(
        Severity.CRITICAL, f"Nothing may hide before, between or behind the entries, no comment either. {_REBUILD}"
    ),
    Code.ARCHIVE_MISMATCH: Rule(
        Severity.CRITICAL, f"Two readers of this archive could see different files. {_REBUILD}"
    ),
    Code.ARCHIVE_ZIP64: Rule(Severity.HIGH, f"A package is never so large that it needs ZIP64. {_REBUILD}"),
    Code.ARCHIVE_TOO_MANY_FILES: Rule(
        Severity.HIGH, f"A package has at most {PACKAGE_FILES_MAX:,} files; leave out what the agent does not need."
    ),
    Code.ARCHIVE_BOMB: Rule(
        Severity.CRITICAL,
        f"What is unpacked may be at most {PACKAGE_RATIO_MAX} times as large as what is packed, and 200 MiB in all."
        " Leave such files out, or make them when the agent runs.",
    ),
    Code.ARCHIVE_NOT_CANONICAL: Rule(
        Severity.LOW, f"The same files should always give the same bytes, whoever packs them. {_REBUILD}"
    ),
    Code.ENTRY_ENCRYPTED: Rule(Severity.CRITICAL, "Reviewers must be able to read every file: pack it unencrypted."),
    Code.ENTRY_METHOD: Rule(Severity.HIGH, f"Only stored and deflated files can be read. {_REBUILD}"),
    Code.ENTRY_LINK: Rule(Severity.CRITICAL, "Put the file itself in the place of the link."),
    Code.ENTRY_SPECIAL: Rule(Severity.CRITICAL, "Only plain files without special bits may be in a package."),
    Code.ENTRY_DIRECTORY: Rule(
        Severity.HIGH, f"Directories come with their files and need no entries (`zip -D`). {_REBUILD}"
    ),
    Code.ENTRY_DAMAGED: Rule(Severity.HIGH, f"The content is not what its headers say. {_REBUILD}"),
    Code.PATH_TRAVERSAL: Rule(Severity.CRITICAL, "Paths stay inside of the package: take out every `..`."),
    Code.PATH_ABSOLUTE: Rule(Severity.CRITICAL, "Paths are relative to the package: take away the leading `/`."),
    Code.PATH_BACKSLASH: Rule(Severity.CRITICAL, "Separate the parts of a path by `/` alone."),
    Code.PATH_DRIVE: Rule(Severity.CRITICAL, _RENAME),
    Code.PATH_CHARACTERS: Rule(Severity.CRITICAL, _RENAME),
    Code.PATH_UNSAFE: Rule(Severity.HIGH, _RENAME),
    Code.PATH_TOO_LONG: Rule(Severity.HIGH, f"Shorten the path to {PACKAGE_PATH_MAX_CHARS} characters."),
    Code.PATH_TOO_DEEP: Rule(Severity.HIGH, f"Put the file at most {PACKAGE_DEPTH_MAX} levels deep."),
    Code.PATH_DUPLICATE: Rule(
        Severity.CRITICAL, "Rename one of them: on some file systems one would overwrite the other."
    ),
    Code.MANIFEST_MISSING: Rule(Severity.HIGH, "Put an `agent.json` at the top of the package."),
    Code.MANIFEST_NOT_FIRST: Rule(Severity.HIGH, f"`agent.json` is the first entry. {_REBUILD}"),
    Code.MANIFEST_UNREADABLE: Rule(Severity.HIGH, "Write `agent.json` as one JSON object in UTF-8, each key once."),
    Code.MANIFEST_INVALID: Rule(
        Severity.HIGH, "Correct `agent.json`; `windtunnel package schema` prints what it may hold."
    ),
    Code.NAMESPACE_FOREIGN: Rule(Severity.HIGH, "Name the agent in the namespace of your own tenant: its slug."),
    Code.FILE_UNLISTED: Rule(
        Severity.HIGH, f"List every file but `agent.json` under `files`, or leave it out. {_REBUILD}"
    ),
    Code.FILE_MISSING: Rule(Severity.HIGH, f"Add the file, or take it out of `files`. {_REBUILD}"),
    Code.FILE_DIFFERENT: Rule(Severity.CRITICAL, f"The file was changed after `files` was written. {_REBUILD}"),
    Code.REFERENCE_MISSING: Rule(Severity.HIGH, "Add what the manifest refers to, or correct the reference."),
    Code.CLASSIFICATION_UNDERSTATED: Rule(
        Severity.MEDIUM, "Classify the data of the agent as high as the most sensitive of its stores."
    ),
    Code.MORE_FINDINGS: Rule(Severity.HIGH, "Correct those listed, then check again."),
}
"""HIGH and CRITICAL keep a package from being deployed."""
