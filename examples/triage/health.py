"""Is the agent well? It sorts a ticket of which everybody knows the answer; exit status 0 says yes."""

import sys

from triage.main import run

answer = run({"subject": "The shop is down", "text": "Nobody can pay."})
sys.exit(0 if answer["urgency"] == "high" and answer["team"] == "operations" else 1)
