"""The doorbell: bus, hub and gap-free streams."""
