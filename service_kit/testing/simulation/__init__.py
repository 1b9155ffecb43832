"""The simulator: the real runtime in several processes that die, over a store that fails, in virtual time.

One seed is one run, exactly: `python -m service_kit.testing.simulation --seed 7`. Nothing here reads a clock,
draws from anything but the seed, or knows which bug it is looking for.
"""
