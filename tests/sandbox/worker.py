"""A worker that runs something that does not end by itself, to be killed: `worker ROOT NAME WITHOUT...`."""

import asyncio
import sys
from pathlib import Path

from tests.sandbox.house import STUBBORN, sandbox
from windtunnel.domain.isolation import Mechanism
from windtunnel.sandbox.detecting import detect


async def main(root: Path, name: str, without: frozenset[Mechanism]) -> None:
    """Run it."""
    isolation = await detect(root.parent, without=without)
    await sandbox(root, isolation).run(("python", "-c", STUBBORN, name), wall_s=100)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], frozenset(map(Mechanism, sys.argv[3:]))))
