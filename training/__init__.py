"""Trains what ships as data; not part of the product."""
