"""Durable workflows on one SQLite file: many short ones, a long one, and many that wait."""
