"""The launcher: a small process around each run. Started with a bare interpreter, it imports little and only itself."""
