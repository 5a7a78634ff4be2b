"""GraphiQL, served by this server alone: its sources, its build, its page."""
