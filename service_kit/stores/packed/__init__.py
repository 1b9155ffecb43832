"""Payloads on their way to any store: encoded by a codec, and kept beside the history if they are large.

Decorators over the ports. Nothing here knows of a particular store, or of what the payloads mean.
"""
