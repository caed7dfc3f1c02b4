"""What looking is tested on serves the pages' tests too."""

from tests.looking.conftest import looked  # noqa: F401
