"""What the manifest declares against what the code does."""

import sys
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from windtunnel.packages.codes import Code
from windtunnel.packages.entries import MANIFEST_PATH
from windtunnel.packages.findings import Findings
from windtunnel.packages.inspection.uses import Import, Power, Use, Uses
from windtunnel.packages.manifest import Manifest, PackagedToolKind

_LOCAL = frozenset({"localhost", "example.com", "example.org", "example.net"})
_CODES = {
    Power.NETWORK: (Code.NETWORK_UNDECLARED, "uses the network", "`permissions.network` is empty"),
    Power.SUBPROCESS: (Code.SUBPROCESS_UNDECLARED, "starts processes", "`permissions.subprocess` is false"),
    Power.FILESYSTEM: (Code.FILESYSTEM_UNDECLARED, "works on files", "`permissions.filesystem` is empty"),
}


def compare(manifest: Manifest, modules: Mapping[str, Uses], findings: Findings) -> None:
    """Add what the modules of a package, by their paths, do without its being declared, and what they do not."""
    permissions = manifest.permissions
    allowed = {
        Power.NETWORK: bool(permissions.network),
        Power.SUBPROCESS: permissions.subprocess,
        Power.FILESYSTEM: bool(permissions.filesystem),
    }
    hosts = frozenset(entry.rpartition(":")[0].strip("[]").casefold() for entry in permissions.network)
    beside = _by_folder(modules)
    for path, uses in modules.items():
        for use in _once(uses.found):
            _judge(use, path, allowed, frozenset(permissions.secrets), findings)
        for address, line in uses.addresses:
            _judge_address(address, path, line, hosts, findings)
        if manifest.runtime is None or manifest.runtime.lockfile is None:
            _judge_imports(path, uses.imports, beside, findings)
    _judge_unused(manifest, modules.values(), findings)


def _judge(use: Use, path: str, allowed: Mapping[Power, bool], secrets: Collection[str], findings: Findings) -> None:
    if use.power in _CODES:
        code, does, declared = _CODES[use.power]
        if not allowed[use.power]:
            findings.add(code, f"It {does} ({use.what}), and {declared}.", path, use.line)
    elif use.power is Power.SECRET and use.what not in secrets:
        findings.add(Code.SECRET_UNDECLARED, f"It reads {use.what}, which is not declared.", path, use.line)
    elif use.power is Power.ENVIRONMENT and use.what not in secrets:
        findings.add(Code.ENVIRONMENT_READ, f"It reads the environment: {use.what}.", path, use.line)
    elif use.power is Power.DYNAMIC:
        findings.add(
            Code.CODE_DYNAMIC, f"It runs or finds code that is not there to be read: {use.what}.", path, use.line
        )
    elif use.power is Power.NATIVE:
        findings.add(Code.CODE_NATIVE_CALLS, f"It calls native code: {use.what}.", path, use.line)


def _judge_address(address: str, path: str, line: int, hosts: Collection[str], findings: Findings) -> None:
    try:
        host = (urlsplit(address).hostname or "").casefold()
    except ValueError:
        return
    if host and host not in hosts and host not in _LOCAL and not host.startswith("127."):
        findings.add(Code.NETWORK_ELSEWHERE, "It has the address of a host that is not declared.", path, line)


def _judge_imports(path: str, imports: Iterable[Import], beside: Mapping[str, set[str]], findings: Findings) -> None:
    """What is neither in the standard library nor in the package has to be locked, and nothing locks anything here."""
    known: tuple[Collection[str], ...] = (sys.stdlib_module_names, beside[""], beside.get(path.rpartition("/")[0], ()))
    told: set[str] = set()
    for each in imports:
        top = each.module.partition(".")[0]
        if not each.optional and top not in told and not any(top in names for names in known):
            told.add(top)
            findings.add(
                Code.DEPENDENCY_UNLOCKED, f"It imports {top!r}, and there is no lock file to have it.", path, each.line
            )


def _by_folder(paths: Iterable[str]) -> Mapping[str, set[str]]:
    """What can be imported in each folder that has something, the top one first."""
    found: dict[str, set[str]] = {"": set()}
    for path in paths:
        folder = ""
        for part in path.split("/"):
            found.setdefault(folder, set()).add(part.removesuffix(".py"))
            folder = f"{folder}/{part}".removeprefix("/")
    return found


def _judge_unused(manifest: Manifest, modules: Collection[Uses], findings: Findings) -> None:
    """Only when all of it could be read, and is all that there is."""
    if not modules or (manifest.runtime is not None and manifest.runtime.lockfile):
        return
    powers = {use.power for uses in modules for use in uses.found}
    outside = any(tool.kind is not PackagedToolKind.FUNCTION for tool in manifest.tools)
    declared = {
        "network": manifest.permissions.network and Power.NETWORK not in powers and not outside,
        "subprocess": manifest.permissions.subprocess and Power.SUBPROCESS not in powers,
        "filesystem": manifest.permissions.filesystem and Power.FILESYSTEM not in powers,
    }
    for name in (name for name, unused in declared.items() if unused):
        findings.add(Code.PERMISSION_UNUSED, f"permissions.{name}: No code was seen that needs it.", MANIFEST_PATH)


def _once(uses: Iterable[Use]) -> list[Use]:
    """Each use once per line."""
    return sorted({(use.line, use.power, use.what): use for use in uses}.values(), key=lambda use: use.line)
