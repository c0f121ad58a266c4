"""`bench simulate`: how many operations a core decides in a second, with every reason kept, and how long a simulation takes.

Every policy of the made-up plan has its conditions on: load, lateness, cost against inside, quantity, a transition, ranked
vendors with weekly capacities, by every strategy. Deciding is timed alone, order by order as they stream out of the database, in
processor time of one core; then the whole simulation as a planner asks for it, which reads the plan and decides it twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from documents import services as documents
from outsourcing.benches.generate import TODAY, load_plan
from outsourcing.measuring import apart, peak
from policies.models import Policy, PolicyVendor, PriceAgreement
from policies.services import Change, SupposedPolicy, deciding
from policies.services.books import load_book
from policies.services.supposing import suppose

STRATEGIES = ("preferred", "lowest_cost", "earliest", "quota")
NAMED = 4  # vendors a policy names


def bench(*, write: Callable[[str], object], operations: int = 100_000) -> dict[str, Any]:
    """Figures of deciding alone, and of a whole simulation."""
    load_plan(operations)
    write(f"{operations:,} operations loaded; {Policy.objects.count()} policies, their conditions on.")
    [alone] = apart(_decide_all)
    [whole] = apart(_simulate)
    decided: Mapping[str, Any] = alone.result
    return {
        "operations": decided["operations"],
        "seconds": round(decided["seconds"], 2),
        "operations_per_second": round(decided["operations"] / decided["seconds"]),
        "reach": 25_000,
        "ratio": round(decided["operations"] / decided["seconds"] / 25_000, 2),
        "outsource": decided["outsource"],
        "weighed": decided["weighed"],
        "reasons": decided["reasons"],
        "peak_mb": peak([alone]),
        "simulation_seconds": round(whole.seconds, 2),
        "simulation_core_seconds": round(whole.result["core"], 2),
        "simulation_operations_per_second": round(2 * whole.result["operations"] / whole.seconds),
        "simulation_flips": whole.result["flips"],
        "simulation_peak_mb": peak([whole]),
    }


def conditions() -> Change:
    """Every policy with conditions, and vendors of its process who have a price for it, ranked, with capacities."""
    supposed = []
    for place, policy in enumerate(Policy.objects.active().order_by("code")):
        able = PriceAgreement.objects.filter(process=policy.process_id).order_by("vendor_id")
        vendors = [
            {"vendor_id": vendor_id, "share_pct": Decimal(100) / NAMED, "weekly_capacity": Decimal(2000)}
            for vendor_id in able.values_list("vendor_id", flat=True).distinct()[:NAMED]
        ]
        supposed.append(
            SupposedPolicy(
                policy.code,
                columns={
                    "strategy": STRATEGIES[place % len(STRATEGIES)],
                    "vendors": vendors,
                    "quantity_from": Decimal(2),
                    **(
                        {}
                        if not PolicyVendor.objects.filter(policy=policy).exists()
                        else (
                            {"load_above_pct": Decimal(80)},
                            {"cost_below_pct": Decimal(150)},
                            {"late_days": 1},
                            {"transition_from": TODAY, "transition_share_pct": Decimal(60)},
                        )[place % 4]
                    ),
                },
            )
        )
    return Change(policies=tuple(supposed))


def _decide_all() -> dict[str, Any]:
    decider = deciding.Decider(suppose(load_book(on=TODAY, last_paid={}), conditions()))
    found = {"operations": 0, "outsource": 0, "weighed": 0, "reasons": 0}
    seconds = 0.0
    for orders in deciding.order_chunks(on=TODAY):
        begin = time.process_time()
        decided = [decider.decide_order(order) for order in orders]
        seconds += time.process_time() - begin
        for one in (one for rows in decided for one in rows):
            found["operations"] += 1
            found["outsource"] += one.verdict == "outsource"
            found["weighed"] += len(one.reasons) > 1
            found["reasons"] += len(one.reasons)
    return {**found, "seconds": seconds}


def _simulate() -> dict[str, Any]:
    begin = time.process_time()
    found = documents.simulate(change=conditions(), on=TODAY)
    core = time.process_time() - begin
    return {"operations": found.before.operations, "flips": found.changed_total, "core": core}
