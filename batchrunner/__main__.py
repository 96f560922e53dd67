"""``python -m batchrunner`` is the command ``batchrunner``."""

from .cli import main

if __name__ == "__main__":
    main()
