"""Loading what lies somewhere: at a vendor never less than orders have there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from inventory import services as ledger
from inventory.models import Lot
from inventory.services import BadCount, CountedStock, CountsRefused, NotEnoughStock
from masterdata.models import Location
from masterdata.services import Upserted
from receipts.services.lying import held_beyond


@transaction.atomic
def load_stock(*, counts: Sequence[CountedStock], at: datetime, by: User | None) -> Upserted:
    """Set balances as of a time, as `inventory.services.load_stock` does; at a vendor's place refused where less would lie there
    than orders have: what they lost is said by a count of the vendor's stock, which knows whose it was.

    Raises CountsRefused.
    """
    done = ledger.load_stock(counts=counts, at=at, by=by)
    places = Location.objects.at_vendors().filter(pk__in={count.location_id for count in counts}).in_bulk()
    at_vendors = [(index, count) for index, count in enumerate(counts) if count.location_id in places]
    if not at_vendors:
        return done
    beyond = held_beyond(list(places), item_ids={count.item_id for _, count in at_vendors})
    lots = dict(Lot.objects.filter(pk__in={lot for _, _, lot, _ in beyond}).values_list("pk", "code"))
    short = {(place, item, lots.get(lot, ""), stage): row for (place, item, lot, stage), row in beyond.items()}
    bad = []
    for index, count in at_vendors:
        if row := short.get((count.location_id, count.item_id, count.lot, count.stage)):
            held, orders = row
            text = (
                f"{held.normalize():f} of it lie at {places[count.location_id]} for {', '.join(orders)}: no less can be loaded. "
                "Where less is there, enter it as a count of the vendor's stock."
            )
            bad.append(BadCount(NotEnoughStock(text, field="quantity"), index=index))
    if bad:
        raise CountsRefused(bad)
    return done
