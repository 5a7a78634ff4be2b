"""Process start to readiness (goal: at most 2 s)."""

from benchmarks.server import ms, percentile, print_row, served

STARTS = 5


def main() -> None:
    """Start the server a few times."""
    times = []
    for _ in range(STARTS):
        with served() as server:
            times.append(server.ready_s)
    print_row("process start -> ready", f"p50 {ms(percentile(times, 0.5))}", f"max {ms(max(times))}")


if __name__ == "__main__":
    main()
