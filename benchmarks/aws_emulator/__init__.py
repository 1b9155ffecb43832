"""Workflows on the emulator of AWS: deployed functions, and what share of the time is the emulator's own."""
