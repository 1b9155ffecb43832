"""Stores in this process's memory: for tests, and for hosts that keep nothing."""
