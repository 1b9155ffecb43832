"""Published contracts: a service's models, errors, events and signatures as a package that needs only `client_kit`.

What is published is read from a service's class (`declared`) or from an OpenAPI document (`document`) into the same
definitions (`definitions`), and written from there (`package`). Nothing here is needed to serve or to call.
"""
