"""The pure heart of durable workflows: a turn is a function of an execution's history and what arrived.

Here live histories and their JSON form, the deterministic event loop, replay, signals and retry arithmetic.
No clock, randomness, file, socket, thread or database may: time and arrivals come in, calls go out.
"""
