"""Runs it: settings, wiring, HTTP and WebSocket, worker, command line."""
