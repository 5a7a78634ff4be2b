"""The sandbox, on what this host has and with parts of it forced off: real processes, each gone at the end."""
