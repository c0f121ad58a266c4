"""Planning pages of the main job: its runs, simulations, the planner's word, and master data that its documents name."""

from documents.admin import master, runs, words

__all__ = ["master", "runs", "words"]
