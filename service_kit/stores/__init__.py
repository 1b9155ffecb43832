"""Stores: implementations of the runtime's ports, one folder for each technology."""
