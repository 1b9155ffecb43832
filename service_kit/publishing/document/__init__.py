"""Contracts read from OpenAPI documents, 3.0 and 3.1, of whatever kind of service."""
