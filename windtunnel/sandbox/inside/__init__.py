"""What runs inside of a sandbox beside the package: each module is handed in as text, and imports nothing of ours."""
