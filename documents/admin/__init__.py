"""Planning pages of the main job: its runs, simulations, and master data that its documents name."""

from documents.admin import master, runs

__all__ = ["master", "runs"]
