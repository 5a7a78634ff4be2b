"""Numbers for what the kernel tells apart: things counted, blocks drawn, events, and what happens to a token."""

# Counted per node, in the order of `workspace.COUNTS`.
ATTEMPTS, FAILURES, VISITS, RETRIES, THROTTLED, DELAYED, SHORT_CIRCUITED, OPENED = range(8)
OVER_BUDGET, FALLBACKS, FALLBACK_FAILURES, FLAWED, CAUGHT, LATE, QUEUE_MAX, COUNTED_VISITS = range(8, 16)

# Summed up per node.
BUSY, WAIT, COUNTED_BUSY, COUNTED_WAIT = range(4)

# Blocks: rows of `Ahead.used`.
SERVICE_BLOCK, ROUTE_BLOCK, FALLBACK_BLOCK, JITTER_BLOCK, FLAW_BLOCK, CATCH_BLOCK = range(6)

# What the event of a token says.
OK, FAILED, AGAIN, BRANCH, FALLBACK_OK, FALLBACK_FAILED = range(6)

# What happens to a token next, in the order in which one thing can lead to another.
IS_CHECKED, SUCCEEDS, ENTERS, ARRIVES, BEGINS, FAILS, GIVES_UP, LEAVES, VANISHES, DONE = range(10)
