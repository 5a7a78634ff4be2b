"""What a manifest refers to must be in the package, and what it declares must agree with itself."""

from pathlib import PurePosixPath

from windtunnel.domain.architectures import DataSensitivity
from windtunnel.domain.packages import Classification
from windtunnel.packages.codes import Code
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.manifest import Manifest, PackagedToolKind
from windtunnel.packages.paths import shown

_RANKS = {sensitivity.value.lower(): rank for rank, sensitivity in enumerate(DataSensitivity)}


def check_references(manifest: Manifest, findings: Findings) -> None:
    """Add what is missing, or declared lower than it is."""
    if manifest.entrypoint.names_callable:
        _check_module(manifest, "entrypoint.ref", manifest.entrypoint.ref, findings)
    for number, tool in enumerate(manifest.tools):
        if tool.kind is PackagedToolKind.FUNCTION:
            _check_module(manifest, f"tools.{number}.ref", tool.ref, findings)
    if manifest.runtime and (lockfile := manifest.runtime.lockfile):
        _check_file(manifest, "runtime.lockfile", lockfile, findings)
    program, *arguments = manifest.health.command
    if PurePosixPath(program).name.startswith("python") and arguments and arguments[0].endswith(".py"):
        _check_file(manifest, "health.command", arguments[0], findings)
    _check_classification(manifest, findings)


def highest_classification(manifest: Manifest) -> Classification:
    """How sensitive the data is, by what is declared of all of it or of any store."""
    declared = [
        manifest.data.classification.value,
        *(store.sensitivity.value.lower() for store in manifest.data.stores),
    ]
    return Classification(max(declared, key=_RANKS.__getitem__))


def _check_module(manifest: Manifest, where: str, ref: str, findings: Findings) -> None:
    path = ref.partition(":")[0].replace(".", "/")
    if f"{path}.py" not in manifest.files and f"{path}/__init__.py" not in manifest.files:
        findings.add(Code.REFERENCE_MISSING, f"{where}: There is no {path}.py in the package.", MANIFEST_PATH)


def _check_file(manifest: Manifest, where: str, path: str, findings: Findings) -> None:
    if str(PurePosixPath(path)) not in manifest.files:
        findings.add(Code.REFERENCE_MISSING, f"{where}: There is no {shown(path)} in the package.", MANIFEST_PATH)


def _check_classification(manifest: Manifest, findings: Findings) -> None:
    highest = highest_classification(manifest)
    if highest is not manifest.data.classification:
        findings.add(
            Code.CLASSIFICATION_UNDERSTATED,
            f"data.classification: It is {manifest.data.classification}, and one of its stores is {highest}.",
            MANIFEST_PATH,
        )
