"""Agent packages: reading archives that nobody vouches for, the manifest, building, and where the bytes are kept."""
