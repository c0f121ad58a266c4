"""Made-up plans of any size in the import format, for benches and drills.

Everything here is invented; nobody's data is in it. The same arguments always give the same bytes: only `random()` is drawn
from, whose sequence does not depend on the Python version. Rows are written as they are made, so memory grows with the
catalogue (at most 25,000 made items) and not with the number of orders.

One to six operations a routing, none to three of them outside, two levels of bills, two to eight plants; few vendors get most of
the work; three in a hundred outside operations have no price; tiers, lot charges, five currencies, prices that start later.
"""

from __future__ import annotations

import csv
import json
import random
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
Row = Callable[..., None]
START = date(2026, 1, 5)
SPAN_DAYS = 70
"""All of it starts within the horizon of a run on the first day."""

COLUMNS = {
    "company": "name,currency",
    "vendors": "code,name,country,currency,email,active",
    "locations": "code,name,kind,vendor",
    "work_centers": "code,name,kind,vendor,capacity_hours_per_day,location,hourly_cost",
    "exchange_rates": "currency,rate,valid_from",
    "processes": "code,name",
    "items": "code,name,unit,kind,lot_tracked,standard_cost",
    "boms": "parent,component,quantity,scrap_pct,operation_no,supply,quantity_basis",
    "routings": "item,operation_no,name,work_center,setup_minutes,run_minutes_per_unit,outsourced,next_operation_no",
    "prices": "vendor,item,operation_name,currency,unit_price,minimum_qty,lot_charge,lead_days,valid_from",
    "policies": "code,name,process,verdict,strategy,vendors,quantity_from,consolidate,price_missing,"
    "transit_out_days,transit_back_days,preparation_days",
    "stock": "item,location,quantity,lot",
    "production_orders": "number,item,quantity,start,due,status,location,parent_order",
}


class Process(NamedTuple):
    """A kind of work: what an hour of our own costs (None: never done inside), and the price outside as a part of that."""

    name: str
    own_rate: int | None
    factor: float


PROCESSES = [
    Process("Sawing", 48, 0.9), Process("Laser cutting", 95, 0.8), Process("Bending", 70, 1), Process("Turning", 82, 0.9),
    Process("Milling", 92, 0.9), Process("Welding", 75, 1.1), Process("Grinding", 78, 1), Process("Deburring", 45, 0.8),
    Process("Painting", 66, 1), Process("Assembly", 52, 0.9), Process("Wiring", 54, 0.9), Process("Inspection", 60, 1.2),
    Process("Packing", 38, 1), Process("Zinc plating", None, 1), Process("Anodising", None, 1),
    Process("Powder coating", None, 1), Process("Heat treatment", None, 1), Process("Nitriding", None, 1),
    Process("Galvanising", None, 1), Process("PCB assembly", None, 1), Process("Wire EDM", None, 1),
]  # fmt: skip
INSIDE = [number for number, process in enumerate(PROCESSES) if process.own_rate]
OUTSIDE = [number for number, process in enumerate(PROCESSES) if not process.own_rate]
BOTH = [1, 4, 5, 6, 8, 9]  # done inside and also sent out: a policy decides
SOLD = OUTSIDE + BOTH
STEPS = [0.10, 0.20, 0.25, 0.22, 0.14, 0.09]  # share of routings with one to six operations
SENT_OUT = [0.45, 0.38, 0.13, 0.04]  # share of routings with none to three operations outside
PLACES = ["DE EUR", "CZ EUR", "PL PLN", "IT EUR", "GB GBP", "US USD", "CN CNY", "FR EUR", "AT EUR", "NL EUR"]
PLACE_SHARES = [0.3, 0.12, 0.1, 0.1, 0.08, 0.08, 0.05, 0.07, 0.05, 0.05]
RATES = {"EUR": 1.0, "PLN": 4.3, "GBP": 0.85, "USD": 1.1, "CNY": 7.8}
NAMES = ["Alfa", "Nord", "Delta", "Omega", "Prima", "Rhein", "Tatra", "Union"]
RAW = ["Steel sheet/kg", "Round bar/m", "Aluminium profile/m", "Casting/pcs", "Fastener set/pcs", "Bearing/pcs", "Cable/m",
       "PCB bare/pcs", "Lacquer/l", "Gasket/pcs", "Motor/pcs"]  # fmt: skip
MADE = ["Bracket", "Housing", "Shaft", "Cover", "Flange", "Frame", "Lever", "Manifold", "Controller board", "Bushing"]
GOODS = ["Pump", "Valve unit", "Drive", "Conveyor module", "Control cabinet", "Gearbox", "Actuator", "Heat exchanger"]
STATUSES = {"planned": 0.55, "firm": 0.2, "released": 0.2, "in_progress": 0.05}
NAMED_BY_POLICY = 6  # vendors, the busiest first
STRATEGIES = ["preferred", "lowest_cost", "earliest", "quota"]


def make_plan(folder: Path, *, operations: int, seed: int = 1, start: date = START) -> dict[str, int]:
    """Write a plan of exactly so many operations as CSV files, and return how many rows each table has."""
    folder.mkdir(parents=True, exist_ok=True)
    return _Plan(folder, operations=operations, seed=seed, start=start).write()


class _Dice(random.Random):
    def upto(self, count: int) -> int:
        return min(int(self.random() * count), count - 1)

    def between(self, low: int, high: int) -> int:
        return low + self.upto(high - low + 1)

    def one(self, values: Sequence[T]) -> T:
        return values[self.upto(len(values))]

    def index(self, shares: Sequence[float]) -> int:
        left = self.random() * sum(shares)
        for number, share in enumerate(shares):
            left -= share
            if left < 0:
                return number
        return len(shares) - 1

    def lognormal(self, centre: float, spread: float) -> float:
        z = sum(self.random() for _ in range(12)) - 6  # close to a standard normal
        return centre * float(2.718281828 ** (spread * z))


class _Plan:
    """Made items are numbered from 0, semi-finished ones first; vendors who work for us come before those who sell to us."""

    def __init__(self, folder: Path, *, operations: int, seed: int, start: date) -> None:
        self.folder, self.operations, self.seed, self.start = folder, operations, seed, start
        self.plants = 2 + min(6, operations // 20_000)
        self.made = max(24, min(25_000, operations // 12))
        self.semi = int(self.made * 0.6)
        self.raw = max(30, int(self.made * 0.5))
        self.workers = max(18, min(400, int(operations**0.5)))  # every process gets a vendor
        self.suppliers = max(5, self.workers // 2)
        self.counts = dict.fromkeys(COLUMNS, 0)

    def write(self) -> dict[str, int]:
        self.partners()
        self.policies()
        self.catalogue()
        self.stock()
        self.production_orders()
        return self.counts

    def dice(self, table: str) -> _Dice:
        return _Dice(f"{self.seed}/{table}")

    @contextmanager
    def table(self, *names: str) -> Iterator[list[Row]]:
        """Open tables, each as a function that writes a row."""
        with ExitStack() as stack:
            yield [self._writer(stack, name) for name in names]

    def _writer(self, stack: ExitStack, name: str) -> Row:
        file = stack.enter_context((self.folder / f"{name}.csv").open("w", encoding="utf-8", newline=""))
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS[name].split(","))

        def row(*values: Any) -> None:
            self.counts[name] += 1
            out.writerow(values)

        return row

    def code(self, item: int) -> str:
        return f"{'S' if item < self.semi else 'F'}{item:06d}"

    # Who there is

    def partners(self) -> None:
        dice = self.dice("vendors")
        self.currency: list[str] = []
        self.lead, self.level = array("B"), array("f")
        self.able: list[list[int]] = [[] for _ in PROCESSES]  # vendors of each process, the busiest first
        with self.table("company", "exchange_rates", "vendors", "locations", "work_centers") as tables:
            company, rate, vendor, place, center = tables
            company("Made-up plant", "EUR")
            for currency in sorted(RATES):
                if currency != "EUR":
                    rate(currency, f"{1 / RATES[currency]:.5f}", "2025-01-01")
            for plant in range(1, self.plants + 1):
                place(f"P{plant}", f"Plant {plant}", "plant", "")
                place(f"P{plant}-RAW", f"Plant {plant} raw material store", "warehouse", "")
                place(f"P{plant}-FG", f"Plant {plant} finished goods", "warehouse", "")
                for number in INSIDE:
                    process = PROCESSES[number]
                    hours = 8 * dice.between(1, 4)
                    name = f"{process.name}, plant {plant}"
                    center(f"P{plant}-{number:02d}", name, "internal", "", hours, f"P{plant}", process.own_rate)
            for number in range(self.workers + self.suppliers):
                country, currency = PLACES[dice.index(PLACE_SHARES)].split()
                works = number < self.workers
                self.currency.append(currency)
                self.lead.append(dice.between(3, 21))
                self.level.append(0.85 + 0.4 * dice.random())
                if works:
                    for process_no in sorted(
                        {SOLD[number % len(SOLD)]} | {dice.one(SOLD) for _ in range(dice.upto(3))}
                    ):
                        self.able[process_no].append(number)
                code, name = f"V{number:04d}", f"{dice.one(NAMES)} {'Services' if works else 'Supply'} {number:03d}"
                is_active = not (works and number >= 2 * len(SOLD) and dice.random() < 0.04)
                vendor(code, name, country, currency, f"orders@v{number:04d}.example", "yes" if is_active else "no")
                if works:
                    place(f"X-{code}", name, "vendor", code)
                    center(f"X-{code}", name, "external", code, "", f"X-{code}", "")
        # Few vendors get most of the work: the weight falls with the rank.
        self.weights = [list(accumulate(1 / (rank + 1) ** 1.2 for rank in range(len(able)))) for able in self.able]

    def pick_vendor(self, dice: _Dice, process: int) -> int:
        weights = self.weights[process]
        return self.able[process][bisect_right(weights, dice.random() * weights[-1])]

    def policies(self) -> None:
        """One a process: what is never done inside goes to the vendor of its work center, the rest to some vendors by choice."""
        with self.table("processes", "policies") as [named, policy]:
            for process in PROCESSES:
                named(process.name, process.name)
            for place, number in enumerate(SOLD):
                process = PROCESSES[number]
                is_choice = number in BOTH
                names = [f"V{vendor:04d}" for vendor in self.able[number][:NAMED_BY_POLICY]] if is_choice else []
                strategy = STRATEGIES[place % len(STRATEGIES)] if is_choice else "preferred"
                vendors: list[Any] = list(names)
                if strategy == "quota":
                    vendors = [{"vendor": name, "share_pct": 100 // len(names)} for name in names]
                policy(
                    f"POL-{number:02d}", process.name, process.name, "outsource", strategy, json.dumps(vendors),
                    10 if is_choice else "", "week", "block", 1, 1, 1,
                )  # fmt: skip

    # What is made, how, and what it costs outside

    def catalogue(self) -> None:
        dice = self.dice("catalogue")
        self.steps, self.plant = array("B", bytes(self.made)), array("B", bytes(self.made))
        self.second, self.in_lots = array("B", bytes(self.made)), bytearray(self.made)
        self.parts: dict[int, list[tuple[int, int]]] = {}  # of a finished item: semi-finished items with quantities
        kinds = bytearray(self.raw)
        with self.table("items", "boms", "routings", "prices") as [item, bom, step, price]:
            for number in range(self.raw):
                kinds[number] = dice.upto(len(RAW))
                name, unit = RAW[kinds[number]].split("/")
                cost = dice.lognormal(4, 0.9)
                tracked = "yes" if dice.random() < 0.25 else "no"
                item(f"R{number:06d}", f"{name} {number:06d}", unit, "raw", tracked, _money(cost))
                for _ in range(dice.between(1, 2)):
                    vendor = self.workers + dice.upto(self.suppliers)
                    each = _money(cost * self.level[vendor] * RATES[self.currency[vendor]])
                    least = dice.one([1, 10, 50, 100])
                    price(f"V{vendor:04d}", f"R{number:06d}", "", self.currency[vendor], each, least, "",
                          dice.between(2, 30), "2025-01-01")  # fmt: skip
            for number in range(self.made):
                code, finished = self.code(number), number >= self.semi
                self.plant[number] = dice.index([1 / (plant + 1) for plant in range(self.plants)])
                self.second[number] = dice.upto(self.plants) if dice.random() < 0.2 else self.plant[number]
                self.in_lots[number] = dice.random() < 0.3
                name = f"{dice.one(GOODS if finished else MADE)} {number:06d}"
                item(code, name, "pcs", "finished" if finished else "semi", "yes" if self.in_lots[number] else "no",
                     _money(dice.lognormal(180 if finished else 24, 0.7)))  # fmt: skip
                flags = self.routing(dice, number, step, price)
                self.bill(dice, number, flags, kinds, bom)

    def bill(self, dice: _Dice, number: int, flags: list[str], kinds: bytearray, bom: Row) -> None:
        lines: list[tuple[str, object]] = []
        if number >= self.semi:
            below = sorted({dice.upto(self.semi) for _ in range(dice.between(1, 3))})
            self.parts[number] = [(part, dice.one([1, 1, 1, 2, 2, 4])) for part in below]
            lines += [(self.code(part), quantity) for part, quantity in self.parts[number]]
        for raw in sorted({dice.upto(self.raw) for _ in range(dice.between(1, 4))}):
            in_pieces = RAW[kinds[raw]].endswith("/pcs")
            lines.append(
                (f"R{raw:06d}", dice.one([1, 1, 2, 2, 4, 8]) if in_pieces else f"{dice.lognormal(0.8, 0.6):.3f}")
            )
        for component, quantity in lines:
            operation_no, supply = "", "own"
            if dice.random() < 0.6:
                place = dice.upto(len(flags))
                operation_no = f"{10 * (place + 1)}"
                if flags[place] == "yes" and component.startswith("R") and dice.random() < 0.2:
                    supply = "vendor"
            basis = "per_order" if component.startswith("R") and dice.random() < 0.01 else "per_unit"
            scrap = dice.one(["", "", "", "1", "2", "3", "5"])
            bom(self.code(number), component, quantity, scrap, operation_no, supply, basis)

    def routing(self, dice: _Dice, number: int, step: Row, price: Row) -> list[str]:
        """The steps of an item with the prices of those that may go outside. Returns their sourcing flags."""
        total = number + 1 if number < 6 else dice.index(STEPS) + 1  # every length exists, so any size can be met
        self.steps[number] = total
        outside = {dice.upto(total) for _ in range(min(total, dice.index(SENT_OUT)))}
        flags: list[str] = []
        used: set[int] = set()
        for place in range(total):
            flag = "no" if place not in outside else "yes" if dice.random() < 0.7 else "maybe"
            pool = {"no": INSIDE, "maybe": BOTH, "yes": OUTSIDE}[flag]
            process_no = dice.one(pool)
            while process_no in used:
                process_no = pool[(pool.index(process_no) + 1) % len(pool)]
            used.add(process_no)
            flags.append(flag)
            process = PROCESSES[process_no]
            setup, run = dice.one([5, 10, 15, 20, 30, 45, 60]), dice.lognormal(4, 0.8)
            main = self.pick_vendor(dice, process_no) if flag != "no" else 0
            center = f"X-V{main:04d}" if flag == "yes" else f"P{self.plant[number] + 1}-{process_no:02d}"
            following = 10 * (place + 2) if place + 1 < total else ""
            step(self.code(number), 10 * (place + 1), process.name, center, 0 if flag == "yes" else setup,
                 "" if flag == "yes" else f"{run:.2f}", flag, following)  # fmt: skip
            if flag != "no" and dice.random() >= 0.03:  # three in a hundred have no price: a gap to be told
                vendors = sorted({main} | {self.pick_vendor(dice, process_no) for _ in range(dice.upto(4))})
                self.price_lists(dice, number, process, run, vendors, price)
        return flags

    def price_lists(
        self, dice: _Dice, number: int, process: Process, run: float, vendors: Sequence[int], price: Row
    ) -> None:
        base = (process.own_rate or 80) * run / 60 * process.factor
        for vendor in vendors:
            currency = self.currency[vendor]
            each = base * self.level[vendor] * RATES[currency]
            charge = _money(dice.one([25, 40, 60, 90]) * RATES[currency]) if dice.random() < 0.3 else ""
            lead = max(1, self.lead[vendor] + dice.between(-2, 4))
            head = (f"V{vendor:04d}", self.code(number), process.name, currency)
            for least, discount in ((1, 1.0), (100, 0.9), (500, 0.82))[: dice.between(1, 3)]:
                price(*head, _money(each * discount), least, charge, lead, "2025-01-01")
            if dice.random() < 0.1:  # a dearer price that starts later
                later = (self.start + timedelta(days=45)).isoformat()
                price(*head, _money(each * 1.06), 1, charge, lead, later)

    def stock(self) -> None:
        dice = self.dice("stock")
        with self.table("stock") as [row]:
            for raw in range(self.raw):
                for plant in sorted({dice.upto(self.plants) for _ in range(2)}):
                    row(f"R{raw:06d}", f"P{plant + 1}-RAW", f"{dice.lognormal(300, 1):.0f}", "")
                if dice.random() < 0.05:
                    row(f"R{raw:06d}", f"X-V{dice.upto(self.workers):04d}", dice.between(1, 80), "")
            for item in range(self.made):
                for nth in range(dice.index([0.4, 0.4, 0.2])):
                    lot = f"L{item}-{nth}" if self.in_lots[item] else ""
                    where = f"P{self.plant[item] + 1}-{'FG' if item >= self.semi else 'RAW'}"
                    row(self.code(item), where, dice.between(1, 200), lot)

    # What is to be made

    def production_orders(self) -> None:
        dice = self.dice("orders")
        order = list(range(self.made))
        for last in range(self.made - 1, 0, -1):  # popularity has nothing to do with the number
            other = dice.upto(last + 1)
            order[last], order[other] = order[other], order[last]
        wanted = array("d", accumulate(1 / (rank + 3) ** 0.9 for rank in range(self.made)))
        left = self.operations
        with self.table("production_orders") as [row]:

            def write(item: int, quantity: int, start: date, due: date, status: str, parent: str) -> str:
                nonlocal left
                left -= self.steps[item]
                number = f"MO-{self.counts['production_orders'] + 1:08d}"
                plant = self.plant[item] if dice.random() < 0.7 else self.second[item]
                row(number, self.code(item), quantity, start, due, status, f"P{plant + 1}", parent)
                return number

            while left > 0:
                item = order[bisect_right(wanted, dice.random() * wanted[-1])]
                if self.steps[item] > left:
                    item = left - 1  # the first six items have one to six operations
                quantity = max(1, int(dice.lognormal(40, 1)))
                if quantity > 20:
                    quantity -= quantity % 10
                done = (self.operations - left) / self.operations
                start = self.start + timedelta(days=int(SPAN_DAYS * done) + dice.upto(10))
                due = start + timedelta(days=3 + 3 * self.steps[item] + dice.upto(10))
                status = list(STATUSES)[dice.index(list(STATUSES.values()))]
                parent = write(item, quantity, start, due, status, "")
                if item in self.parts and dice.random() < 0.5:
                    for part, each in self.parts[item]:
                        if self.steps[part] <= left:
                            begin = start - timedelta(days=2 + 3 * self.steps[part])
                            write(part, quantity * each, begin, start, status, parent)


def _money(value: float) -> str:
    return f"{value:.4f}" if value < 1 else f"{value:.2f}"
