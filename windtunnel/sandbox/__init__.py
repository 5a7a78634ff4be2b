"""Where package code runs: kept in by what the host has, bounded, watched, and gone when it should be."""
