"""The product's numbers, in one place: what the specifications promise and what keeps the service safe."""

SCENARIO_MAX_CHARS = 20_000
ARCHITECTURE_MAX_AGENTS = 64
PAGE_SIZE_DEFAULT = 20
PAGE_SIZE_MAX = 100
SIMULATIONS_RUNNING_PER_TENANT = 100
SIMULATIONS_WAITING_PER_TENANT = 1_000
SIMULATION_MIN_PACE = 0.001
"""Slowest pace but 0: a simulation that is watched in slow motion still ends some day."""
SIMULATION_MAX_PACE = 1_000_000.0
INJECTED_FAILURES_MAX = 50
IDEMPOTENCY_KEY_MAX_CHARS = 200
IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000
LEASE_MS = 10_000
LEASE_RENEW_EVERY_MS = 3_000
PLANNING_TIMEOUT_S = 60.0
ENVIRONMENTS_PER_TENANT = 10
ENVIRONMENT_MIN_LIFETIME_S = 600
ENVIRONMENT_LIFETIME_S = 86_400
"""When nobody says otherwise."""
ENVIRONMENT_MAX_LIFETIME_S = 7 * 86_400
ENVIRONMENT_PROVISION_WITHIN_MS = 300_000
ENVIRONMENT_NAME_MAX_CHARS = 100
ENVIRONMENT_MIN_CPU = 0.1
ENVIRONMENT_MAX_CPU = 4.0
ENVIRONMENT_MIN_MEMORY_MB = 64
ENVIRONMENT_MAX_MEMORY_MB = 4096
ENVIRONMENT_MIN_STORAGE_MB = 16
ENVIRONMENT_MAX_STORAGE_MB = 4096
ENVIRONMENT_MAX_SIMULATIONS = 20
"""At once in one environment; the usual number is that of `EnvironmentLimits`."""
VERSIONS_PER_AGENT = 10
ROLLBACK_WINDOW_MS = 30 * 86_400_000
"""How long after going live what is in production can be taken back."""
ROLLBACK_WITHIN_MS = 60_000
"""After that a rollback has failed."""
ROLLBACK_REASON_MIN_CHARS = 10
FOLLOWER_SEEN_EVERY_MS = 20_000
FOLLOWER_FORGOTTEN_MS = 60_000
"""Whoever follows production and was not seen for so long does so no more."""
SEED_MAX = 2**31 - 1
"""Largest seed: GraphQL's Int is a signed 32-bit number."""
SEARCH_MAX_CHARS = 200
EVENTS_PAGE_MAX = 1_000
NODES_PER_LOOKUP_MAX = 100
AUDIT_CHECKPOINT_EVERY = 100
"""Entries of one tenant between two checkpoints outside of the database, at most."""
AUDIT_CHECKPOINT_AFTER_S = 300.0
"""How long the last entries of a tenant may be without a checkpoint."""
AUDIT_CHECKPOINT_SLACK_S = 60.0
"""How much later than that a checkpoint may come before it counts as missing."""
FLAG_PILOTS_MAX = 100
WEBHOOKS_PER_TENANT = 20
WEBHOOK_URL_MAX_CHARS = 2_000
WEBHOOK_BODY_MAX_BYTES = 64 * 1024
WEBHOOK_TIMEOUT_S = 5.0
"""For all of an attempt: look-up, connection, TLS, request and answer."""
WEBHOOK_RETRY_AFTER_S = (5, 60, 300, 1_800, 7_200, 21_600, 57_600)
"""How long after each failed attempt the next one is due; after the last one, about a day, the delivery is dead."""
WEBHOOK_RETRY_JITTER = 0.2
"""Each pause is up to so much longer or shorter, so that what failed together does not come again together."""
WEBHOOK_RETRY_AFTER_MAX_S = 86_400
"""The longest that a receiver can put us off with Retry-After."""
WEBHOOK_DELIVERIES_PENDING_PER_TENANT = 10_000
WEBHOOK_DELIVERIES_AT_ONCE_PER_WEBHOOK = 2
WEBHOOK_DELIVERIES_AT_ONCE_PER_TENANT = 8
WEBHOOK_BUSY_RETRY_MS = 5_000
WEBHOOK_LEASE_MS = 20_000
"""More than an attempt and its bookkeeping take."""
WEBHOOK_DELIVERIES_KEPT_MS = 30 * 86_400_000
POINTS_PER_MINUTE = 60_000
"""What a tenant may spend; an operation costs one point and one for each row that it can give."""
MUTATION_POINTS = 10
INTROSPECTION_POINTS = 100
REFUSED_SIGN_IN_POINTS = 20
SOCKETS_PER_VIEWER = 100
SOCKETS_UNNAMED_PER_ADDRESS = 64
"""Sockets that have not said yet who they are, in one process."""
SOCKET_MESSAGES_PER_MINUTE = 6_000
"""What one socket may send in a minute before each message costs a point."""
TOKEN_NAME_MAX_CHARS = 100
TOKENS_PER_TENANT = 500
"""Valid at a time: the list of them has no pages."""
TOKEN_USE_NOTED_EVERY_MS = 60_000
TRACES_MAX_BYTES = 16 * 1024 * 1024
TRACES_UNPACKED_MAX_BYTES = 256 * 1024 * 1024
CALIBRATIONS_AT_ONCE = 2
"""In one process; of each tenant one."""
TRACES_UPLOADS_AT_ONCE = 16
"""Being received, or waiting for their turn, in one process; so are the following."""
TRACES_UPLOADS_AT_ONCE_PER_TENANT = 4
TRACES_UPLOADS_AT_ONCE_PER_USER = 1
TRACES_MATCHES_MAX = 1_000
PACKAGE_MAX_BYTES = 50 * 1024 * 1024
PACKAGE_UNPACKED_MAX_BYTES = 200 * 1024 * 1024
PACKAGE_RATIO_MAX = 100
"""How many times as large as its archive what comes out of it may be."""
PACKAGE_FILES_MAX = 5_000
PACKAGE_PATH_MAX_CHARS = 240
PACKAGE_DEPTH_MAX = 16
PACKAGE_MANIFEST_MAX_BYTES = 2 * 1024 * 1024
"""About what the manifest of a package with all the files and the longest paths takes."""
PACKAGE_MANIFEST_MAX_VALUES = 20_000
"""A file is three of them."""
PACKAGE_SIGNATURE_MAX_BYTES = 256 * 1024
PACKAGE_BYTES_PER_TENANT = 20 * 1024 * 1024 * 1024
PACKAGE_UPLOADS_AT_ONCE_PER_TENANT = 4
"""In one process."""
PACKAGE_LEFTOVERS_KEPT_S = 3_600.0
"""How long after the last write an upload that nobody finished, or bytes that belong to no tenant, are kept."""
PACKAGE_UNUSED_KEPT_MS = 90 * 86_400_000
"""How long a package is kept that nothing needs, after it was last uploaded, run or submitted."""
PRODUCTION_ENTRIES_PER_TENANT = 500
PRODUCTION_VALUE_MAX_BYTES = 64 * 1024
PRODUCTION_CLEAR_MAX_BYTES = 1024 * 1024
"""All keys, and all values that are no secrets: one answer has them all, and every environment a copy."""
PACKAGE_RUN_MAX_S = 30.0
"""The wall time of one run of a package's code, if its manifest does not want less."""
PACKAGE_EXERCISE_MAX_S = 120.0
"""The wall time of all runs before one simulation together."""
PACKAGE_RUNS_AT_ONCE = 8
"""In one process; of each tenant at most a quarter of them."""
REVIEW_WITHIN_MS = 24 * 3_600_000
"""Undecided after that, a review expires."""
REVIEW_DEFAULT_HOURS = 4.0
"""When a decision is expected, as long as too few reviews tell."""
REVIEW_EXPECTED_FROM_DECISIONS = 10
REVIEW_EXPECTED_OF_LAST = 50
DEPLOY_ATTEMPTS_MAX = 3
AGENT_NAME_MAX_CHARS = 200
AGENT_DESCRIPTION_MAX_CHARS = 2_000
CHANGELOG_MAX_CHARS = 20_000
REASON_MAX_CHARS = 2_000
EVIDENCE_PER_DEPLOYMENT = 20
DEPLOYMENTS_OPEN_PER_TENANT = 500
"""Submitted and not decided yet."""
REVIEW_REMINDERS = (0.5, 0.8, 0.95)
"""After which parts of its time reviewers are reminded of a review."""
REVIEW_ESCALATED_AT = 2
"""From which reminder on ADMINs are told, too."""
REVIEW_REASON_MIN_CHARS = 20
REVIEW_TEXT_MAX_CHARS = 4_000
REVIEW_TITLE_MAX_CHARS = 200
REVIEW_FINDINGS_MAX = 100
EXECUTE_WITHIN_MS = 24 * 3_600_000
"""From the approval on; what is not in production then needs a new review."""

EXPERIMENT_REPLICATIONS_MAX = 10_000
EXPERIMENT_TASKS_MAX = 100_000
EXPERIMENT_WORK_MAX = 50_000_000
"""Replications times tasks."""
EXPERIMENT_ATTEMPTS_MAX = 100_000_000
"""Of all tasks of one replication, if each takes all attempts that it may: some ten seconds of work in one piece."""
EXPERIMENT_ATTEMPTS_TOTAL_MAX = 50_000_000_000
"""Of all replications, those included that say what is lost when something goes wrong."""
EXPERIMENT_RATE_MIN = 1e-6
"""Tasks per simulated second, about one in eleven days: with fewer, time would be too coarse in the end."""
EXPERIMENT_RATE_MAX = 1_000_000.0
EXPERIMENTS_WAITING_PER_TENANT = 200
"""Not over yet."""
EXPERIMENTS_RUNNING_PER_TENANT = 4
EXPERIMENT_TOLD_EVERY_S = 0.25
"""How often it is said how far an experiment has come, at most; what is done is stored as often."""
EXPERIMENT_TOLD_EVERY_SHARE = 0.01
"""It is said again when it has come so much further, 0 to 1."""
NETWORK_TOOLS_MAX = 128
"""Of a network drawn by hand; so are the following."""
NETWORK_LINKS_MAX = 6 * ARCHITECTURE_MAX_AGENTS
NETWORK_SKILLS_MAX = 32
NETWORK_NAME_MAX_CHARS = 200
NETWORK_TEXT_MAX_CHARS = 4_000
NETWORK_CONCURRENCY_MAX = 10_000
