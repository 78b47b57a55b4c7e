"""`python -m spacemap`."""

from spacemap.cli.main import run

# A worker that is spawned imports this module, too.
if __name__ == "__main__":
    run()
