"""Declarations: what a service is, as data with codecs.

Here live commands, services, security schemes, manifest data and the neutral request and response that
middleware sees. Nothing here does I/O, knows a transport, or imports a web framework.
"""
