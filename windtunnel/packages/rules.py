"""What a finding with a code always says: how bad it is, and what to do about it. The one table."""

from dataclasses import dataclass

from windtunnel.domain.failures import Severity
from windtunnel.domain.policy import PACKAGE_DEPTH_MAX, PACKAGE_FILES_MAX, PACKAGE_PATH_MAX_CHARS, PACKAGE_RATIO_MAX
from windtunnel.packages.codes import Code


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
    Code.FILE_STARTUP: Rule(
        Severity.CRITICAL, "Python runs such a file by itself before anything else: put its code where it is called."
    ),
    Code.FILE_BYTECODE: Rule(Severity.CRITICAL, "Nobody can review compiled code: pack the source in its place."),
    Code.FILE_NATIVE: Rule(
        Severity.CRITICAL, "Nobody can review native code: use the standard library, or name a locked dependency."
    ),
    Code.FILE_SERIALISED: Rule(
        Severity.CRITICAL, "Loading it can run code: keep data as JSON, CSV or safetensors, without objects."
    ),
    Code.FILE_ARCHIVE: Rule(
        Severity.HIGH, "Reviewers must see every file: pack the files themselves, and name libraries in the lock file."
    ),
    Code.FILE_SCRIPT: Rule(
        Severity.MEDIUM, "Only Python is read by the checks: reviewers have to read it line by line."
    ),
    Code.MODULE_SHADOWS: Rule(
        Severity.MEDIUM, "Rename the module: in its place Python may load it for one of the standard library."
    ),
    Code.CODE_UNREADABLE: Rule(
        Severity.HIGH, "Source is UTF-8 that Python 3.11 understands, in files of at most 256 KiB: correct or split it."
    ),
    Code.CODE_HIDDEN_TEXT: Rule(
        Severity.HIGH, "Take out characters that cannot be seen or turn the order around; write them as escapes."
    ),
    Code.CODE_DYNAMIC: Rule(
        Severity.HIGH, "What runs must be there to be read: import modules and call functions by their names."
    ),
    Code.CODE_NATIVE_CALLS: Rule(Severity.HIGH, "Do without calls into native libraries: nothing shows what they do."),
    Code.CODE_SHELL: Rule(Severity.HIGH, "Start the program itself, with a list of arguments and without a shell."),
    Code.CODE_UNVERIFIED_TLS: Rule(
        Severity.HIGH, "Leave the verification of certificates, host names and host keys on, with today's protocols."
    ),
    Code.CODE_DESERIALISES: Rule(Severity.MEDIUM, "Read data as JSON: these formats can run code while they are read."),
    Code.CODE_INJECTION: Rule(
        Severity.MEDIUM, "Pass values as parameters or escape them, instead of joining them into a text that is run."
    ),
    Code.CODE_WEAK_CRYPTOGRAPHY: Rule(
        Severity.MEDIUM, "Use SHA-256 or better, authenticated encryption, keys of today's length, and `secrets`."
    ),
    Code.CODE_XML: Rule(
        Severity.LOW, "Parse XML of others with `defusedxml`: entities can read files and fill memory."
    ),
    Code.CODE_EXPOSES: Rule(Severity.MEDIUM, "Listen on the loopback address alone, and leave debugging switched off."),
    Code.CODE_RISK: Rule(Severity.LOW, "Read the place once more; the rule's number leads to its documentation."),
    Code.NETWORK_UNDECLARED: Rule(
        Severity.HIGH, "Declare each `host:port` under `permissions.network`, or take the code out."
    ),
    Code.NETWORK_ELSEWHERE: Rule(
        Severity.MEDIUM, "Declare the host under `permissions.network`, or take the address out."
    ),
    Code.SUBPROCESS_UNDECLARED: Rule(
        Severity.HIGH, "Declare `permissions.subprocess`, or do without starting programs and processes."
    ),
    Code.FILESYSTEM_UNDECLARED: Rule(
        Severity.HIGH, "Declare the paths under `permissions.filesystem`, or keep to reading what the package carries."
    ),
    Code.SECRET_UNDECLARED: Rule(Severity.HIGH, "Declare the name under `permissions.secrets`, or do without it."),
    Code.ENVIRONMENT_READ: Rule(
        Severity.MEDIUM, "Only secrets that are declared are there when it runs: take settings from the input instead."
    ),
    Code.PERMISSION_UNUSED: Rule(Severity.LOW, "Take permissions out of the manifest that the code does not need."),
    Code.SECRET_FOUND: Rule(
        Severity.CRITICAL,
        "Withdraw it where it is valid, keep it in production's configuration, and name it in `permissions.secrets`.",
    ),
    Code.SECRET_SUSPECTED: Rule(
        Severity.MEDIUM, "If it is a secret, withdraw it and name it in `permissions.secrets`; if not, tell reviewers."
    ),
    Code.DEPENDENCY_UNLOCKED: Rule(
        Severity.HIGH, "Name a lock file under `runtime.lockfile`, pack the module, or use the standard library."
    ),
    Code.LOCK_UNREADABLE: Rule(
        Severity.HIGH, "Write requirements with hashes, as `uv pip compile --generate-hashes` and pip-compile do."
    ),
    Code.LOCK_UNPINNED: Rule(Severity.HIGH, "Pin exactly one version with `==`, without wildcards."),
    Code.LOCK_UNHASHED: Rule(Severity.HIGH, "Add `--hash=sha256:...` for each of its files."),
    Code.LOCK_ELSEWHERE: Rule(
        Severity.HIGH, "Take it out: dependencies come from the index that the operator has chosen, and by name alone."
    ),
    Code.LOCK_DUPLICATE: Rule(Severity.HIGH, "Name each dependency once; `a-b`, `a_b` and `A.B` are the same."),
    Code.SBOM_INVALID: Rule(Severity.HIGH, "Write `sbom.cdx.json` as CycloneDX 1.6 or 1.7 in JSON, or leave it out."),
    Code.SBOM_INCOMPLETE: Rule(Severity.MEDIUM, "Make the bill of materials anew from the lock file."),
    Code.CARD_INVALID: Rule(Severity.HIGH, "Write `agent-card.json` as an A2A agent card 1.0, or leave it out."),
    Code.CARD_DIFFERENT: Rule(Severity.MEDIUM, "Say the same in `agent-card.json` as in `agent.json`."),
    Code.SIGNATURE_MISSING: Rule(
        Severity.HIGH, "Sign the package and upload the envelope with `PUT /packages/{digest}/signature`; submit again."
    ),
    Code.SIGNATURE_UNVERIFIED: Rule(
        Severity.HIGH,
        "Sign it with a key that the operator trusts for your tenant, or have the key added; submit again.",
    ),
    Code.SIGNER_UNKNOWN: Rule(
        Severity.MEDIUM, "Have the operator put the public key of whoever signs for your tenant where it is trusted."
    ),
    Code.PACKAGE_UNAVAILABLE: Rule(
        Severity.HIGH, "Upload the package again with `PUT /packages`, then submit it again."
    ),
    Code.DIGEST_MISMATCH: Rule(
        Severity.CRITICAL,
        "Somebody or something changed what was stored: tell the operator, upload and submit it again.",
    ),
    Code.AGENT_DIFFERENT: Rule(Severity.HIGH, "Submit it for the agent whose slug the manifest names, or rename it."),
    Code.VERSION_TAKEN: Rule(Severity.HIGH, "Raise `version` and build anew: a version never stands for other bytes."),
    Code.CHECK_FAILED: Rule(
        Severity.HIGH,
        "Leave out or split files that are very large or deeply nested; submit it again if there are none.",
    ),
    Code.MORE_FINDINGS: Rule(Severity.HIGH, "Correct those listed, then check again."),
}
"""HIGH and CRITICAL keep a package from being deployed."""
