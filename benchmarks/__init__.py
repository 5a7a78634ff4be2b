"""What is fast, and how fast: `make bench` prints every measurement of one run."""
