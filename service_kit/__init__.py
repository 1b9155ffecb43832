"""Typed services: commands, events and durable workflows as pydantic-typed functions."""
