"""The checkpointer: sees to it that what audit chains say is soon on record outside of the database, too."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from windtunnel.domain.checkpoints import Checkpoint
from windtunnel.domain.errors import UnavailableError
from windtunnel.domain.policy import AUDIT_CHECKPOINT_AFTER_S
from windtunnel.operations.checkpoint_audit import ChainBrokenError, checkpoint_audit
from windtunnel.storage.audit_chains import Chain, chains
from windtunnel.storage.store import Store
from windtunnel.storage.times import milliseconds
from windtunnel.vault.checkpoints import CheckpointFiles
from windtunnel.vault.key_files import KeyRefusedError
from windtunnel.vault.rolls import ROLL, CheckpointsRefusedError

LOOK_EVERY_S = 1.0

log = structlog.get_logger()


class Checkpointer:
    """Looks at all chains every second, whoever appends to them. Use it as `async with`; leaving writes the last ones.

    A hundred new entries are checkpointed at the next look, fewer after five minutes by the store's clock, and
    everything at the first look and in the end. A chain that was tampered with is not signed, and the log says so.
    """

    def __init__(self, store: Store, files: CheckpointFiles) -> None:
        self._store = store
        self._files = files
        self._last: dict[str, Checkpoint | None] = {}
        self._complaints: dict[str, str] = {}
        self._all_due: datetime | None = None
        self._enrolled: set[str] | None = None
        self._stopping = asyncio.Event()
        self._looking: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look_on(), name="checkpointer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        await asyncio.wait([self._looking])
        await self._try_to_look(to_the_end=True)

    async def look(self, *, to_the_end: bool = False) -> None:
        """Write what is due. Raises UnavailableError."""
        found = await chains(self._store)
        if not found:
            return
        now = found[0].at
        if self._all_due is None or now >= self._all_due:
            to_the_end = True
        if to_the_end:
            self._all_due = now + timedelta(seconds=AUDIT_CHECKPOINT_AFTER_S)
        if not any(chain.seq for chain in found):
            return
        if self._enrolled is None:  # from here on the roll says what must be there
            await self._enrol(found, 0)
        written = [await self._try_to_write(chain, to_the_end) for chain in found]
        if error := await self._enrol(found, milliseconds(now) if to_the_end and all(written) else 0):
            self._complain(ROLL, "no list of checkpoints written", str(error))
        else:
            self._complaints.pop(ROLL, None)

    async def _try_to_write(self, chain: Chain, to_the_end: bool) -> bool:
        try:
            await self._write(chain, to_the_end)
        except ChainBrokenError as error:
            self._complain(chain.tenant_id, "audit log tampered with", str(error), tenant=chain.slug)
        except CheckpointsRefusedError as error:
            self._complain(chain.tenant_id, "checkpoints tampered with", str(error), tenant=chain.slug)
        except (OSError, KeyRefusedError) as error:
            self._complain(chain.tenant_id, "no checkpoint written", str(error), tenant=chain.slug)
        else:
            self._complaints.pop(chain.tenant_id, None)
            return True
        return False

    async def _enrol(self, found: Sequence[Chain], at_ms: int) -> Exception | None:
        """Bring the roll up to date, if there is anything new to say; what has kept us from it."""
        known = {chain.tenant_id for chain in found if self._last.get(chain.tenant_id)}
        if at_ms == 0 and self._enrolled is not None and known <= self._enrolled:
            return None
        try:
            await asyncio.to_thread(self._files.enrol, known, at_ms)
        except (OSError, KeyRefusedError, CheckpointsRefusedError) as error:
            return error
        self._enrolled = known
        return None

    async def _write(self, chain: Chain, to_the_end: bool) -> None:
        tenant_id = chain.tenant_id
        if tenant_id not in self._last:
            self._last[tenant_id] = await asyncio.to_thread(self._files.last, tenant_id)
        after = self._last[tenant_id]
        written = await checkpoint_audit(self._store, self._files, chain, after, to_the_end=to_the_end)
        if written:
            self._last[tenant_id] = written[-1]

    def _complain(self, about: str, what: str, reason: str, **more: str) -> None:
        """Say so once, not every second; of the roll only when there is nothing else to say."""
        if self._complaints.get(about) != what and not (about == ROLL and self._complaints):
            self._complaints[about] = what
            log.error(what, reason=reason, **more)

    async def _look_on(self) -> None:
        while not self._stopping.is_set():
            await self._try_to_look()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _try_to_look(self, *, to_the_end: bool = False) -> None:
        try:
            await self.look(to_the_end=to_the_end)
        except UnavailableError as error:
            log.warning("audit chains not looked at", reason=error.message)
        except Exception:
            log.exception("audit chains not looked at because of a defect")
