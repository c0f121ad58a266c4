"""The stock ledger's actions: `ledger` posts and reverses movements; `opening` loads stock as of a time."""

from inventory.services.ledger import Move, NotEnoughStock, post_movements, reverse_movements
from inventory.services.opening import BadCount, CountedStock, CountsRefused, load_stock
from inventory.services.valuing import unit_values
from inventory.services.vendor_stock import VendorBalance, vendor_balances

__all__ = [
    "BadCount",
    "CountedStock",
    "CountsRefused",
    "Move",
    "NotEnoughStock",
    "VendorBalance",
    "load_stock",
    "post_movements",
    "reverse_movements",
    "unit_values",
    "vendor_balances",
]
