"""Business actions on master data that other apps rely on, and the bulk upsert they share."""

from masterdata.services.bulk import Upserted, copy_objects, copy_rows, upsert_by_key
from masterdata.services.changes import note_plan_change, take_plan_changes
from masterdata.services.master import (
    KEYS,
    PREFIXES,
    company,
    company_date,
    default_site,
    draw_numbers,
    main_location,
    make_currencies,
    make_units,
    make_vendor_locations,
    mark_main_locations,
    set_company,
    site_dates,
    transit_location,
    upsert_master,
    vendor_location,
    virtual_location,
)

__all__ = [
    "KEYS",
    "PREFIXES",
    "Upserted",
    "company",
    "company_date",
    "copy_objects",
    "copy_rows",
    "default_site",
    "draw_numbers",
    "main_location",
    "make_currencies",
    "make_units",
    "make_vendor_locations",
    "mark_main_locations",
    "note_plan_change",
    "set_company",
    "site_dates",
    "take_plan_changes",
    "transit_location",
    "upsert_by_key",
    "upsert_master",
    "vendor_location",
    "virtual_location",
]
