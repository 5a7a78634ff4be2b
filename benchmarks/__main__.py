"""`python -m benchmarks`: every benchmark, one after the other."""

import importlib
import time

BENCHMARKS = (
    "engine",
    "accuracy",
    "start",
    "simulate",
    "steady",
    "fan_out",
    "memory",
    "audit",
    "signed_in",
    "sandbox",
    "environments",
    "experiments",
    "pipeline",
)


def main() -> None:
    """Run them all; each prints its own figures."""
    for name in BENCHMARKS:
        begin = time.perf_counter()
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n{name}: {module.__doc__}", flush=True)
        module.main()
        print(f"({time.perf_counter() - begin:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
