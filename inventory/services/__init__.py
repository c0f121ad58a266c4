"""The stock ledger's actions: `ledger` posts and reverses movements; `opening` loads stock as of a time."""

from inventory.services.ledger import Move, NotEnoughStock, post_movements, reverse_movements

__all__ = ["Move", "NotEnoughStock", "post_movements", "reverse_movements"]
