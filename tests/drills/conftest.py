"""What drills share with the tests of the main job: a plan of several shards, a clean slate, the rows of a quiet run."""

from tests.documents.conftest import several_shards, wide_plan, wipe

__all__ = ["several_shards", "wide_plan", "wipe"]
