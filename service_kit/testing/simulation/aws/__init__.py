"""The other world of the simulator: the real functions of `hosts/aws` between a table, streams and queues in memory.

Each part behaves as AWS documents it, at its worst: what may come twice, late or in another order does. The parts
refuse what they do not know (`Unmodelled`), so that nobody takes their silence for DynamoDB's consent.
"""
