"""The ports through which a service reaches the world, and what runs behind them.

Ports are small Protocols with async methods; stores and messaging implement them, hosts choose.
"""
