"""Typed clients of services."""
