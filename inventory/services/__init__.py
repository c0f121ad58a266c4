"""The stock ledger's actions: `ledger` posts and reverses movements; `opening` loads stock as of a time."""

from inventory.services.late_value import LateValue, Placed, post_late_value
from inventory.services.ledger import Move, NotEnoughStock, Posting, post_movements, reverse_movements
from inventory.services.leveling import level_values
from inventory.services.opening import BadCount, CountedStock, CountsRefused, load_stock
from inventory.services.valuing import unit_values
from inventory.services.vendor_stock import VendorBalance, vendor_balances

__all__ = [
    "BadCount",
    "CountedStock",
    "CountsRefused",
    "LateValue",
    "Move",
    "NotEnoughStock",
    "Placed",
    "Posting",
    "VendorBalance",
    "level_values",
    "load_stock",
    "post_late_value",
    "post_movements",
    "reverse_movements",
    "unit_values",
    "vendor_balances",
]
