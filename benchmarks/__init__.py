"""Peers and this project side by side: programs that measure, and the budgets they are judged by.

`python -m benchmarks` runs everything. Each area has a folder; each contender is a module in it and runs in a
process of its own. Nothing of the product may import this package.
"""
