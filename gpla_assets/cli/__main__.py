"""`python -m gpla_assets.cli`: the same as `gpla`."""

from gpla_assets.cli import app

if __name__ == "__main__":
    app()
