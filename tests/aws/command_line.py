"""`service-kit`, as pip would install it."""

from __future__ import annotations

from service_kit.cli import main

if __name__ == "__main__":
    main()
