"""What is sealed and signed with: keys of the settings, or key files in the data directory."""

from pathlib import Path

from app.settings import Settings, SettingsError
from windtunnel.vault.approvals import ApprovalKeys
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError
from windtunnel.vault.sealing import Vault


def vault_of(settings: Settings) -> Vault:
    """What secrets are sealed with: the keys of the settings, else the key file, which is made when missing."""
    try:
        if settings.secrets_key:
            return Vault.of_text(settings.secrets_key)
        return Vault.open(settings.data_dir / "keys" / "secrets.key")
    except KeyRefusedError as error:
        raise SettingsError(str(error)) from None


def approval_keys(settings: Settings) -> ApprovalKeys:
    """By what workers sign approvals, and believe them: the key file, which is made when missing."""
    try:
        return ApprovalKeys.open(settings.data_dir / "keys" / "approvals.key")
    except KeyRefusedError as error:
        raise SettingsError(str(error)) from None


def checkpoint_files(settings: Settings, directory: Path | None = None) -> CheckpointFiles:
    """Where the checkpoints of audit chains are kept, outside of the database: in `directory` or the usual place."""
    return CheckpointFiles(directory or settings.data_dir / "audit", settings.data_dir / "keys" / "audit.key")
