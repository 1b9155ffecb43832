"""Hosts: places where a service runs, and the only ones where concrete classes meet."""
