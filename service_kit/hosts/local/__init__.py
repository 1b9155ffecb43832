"""The local host: a service served by this process, for development and for machines without a cloud.

Here live the listening socket, the server that stops gracefully, the reloader and the logs. Which service it is,
and what people are told about it, is the caller's (the command line's, or a program's).
"""
