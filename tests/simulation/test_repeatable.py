"""The same run in another process, with other hash seeds, tells the same story."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import hashlib, json
from tests.examples import pipeline, review_loop, support_triage
from windtunnel.domain.simulations import FailureInjection
from windtunnel.simulation import Run
digest = hashlib.sha256()
for example in (pipeline, review_loop, support_triage):
    for seed in range(10):
        run = Run(example(), seed, failures=FailureInjection.AUTO)
        while not run.over:
            for one in run.advance(100):
                told = [one.kind, one.message, one.elapsed_ms, one.agent_key, dict(one.body)]
                digest.update(json.dumps(told).encode())
print(digest.hexdigest())
"""


def _told(hash_seed: str) -> str:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_process_tells_the_same_story() -> None:
    first, second = _told("1"), _told("2")
    assert len(first.strip()) == 64
    assert first == second
