"""The specification of a service of 200 commands."""
