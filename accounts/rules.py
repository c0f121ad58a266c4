"""What each role may do, as Django permissions. Adding a business permission means adding it here."""

# "view" stands for every view permission but those on users and tokens, "APP.view" for those of one app,
# "masterdata.change" for adding and changing all of it, "staff" opens the planning pages, "all" is everything.

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "planner": frozenset(
        {
            "view",
            "production.change_productionorder",
            "production.add_productionorder",
            "production.speak_operationword",
            "production.report_operation",
            "policies.add_policy",
            "policies.change_policy",
            "policies.activate_policy",
            "policies.add_policyvendor",
            "policies.change_policyvendor",
            "policies.delete_policyvendor",
            "policies.add_priceagreement",
            "policies.change_priceagreement",
            "policies.add_vendorapproval",
            "policies.change_vendorapproval",
            "documents.start_generationrun",
            "documents.confirm_generationrun",
            "interchange.import_plan",
            "activity.take_alert",
            "masterdata.change",
            "masterdata.delete_closure",
            "masterdata.delete_downtime",
            "masterdata.delete_exchangerate",
            "production.add_bomline",
            "production.change_bomline",
            "production.delete_bomline",
            "production.add_routingstep",
            "production.change_routingstep",
            "production.delete_routingstep",
            "staff",
        }
    ),
    "buyer": frozenset(
        {
            "view",
            "staff",
            "subcontract_orders.add_subcontractorder",
            "subcontract_orders.change_subcontractorder",
            "subcontract_orders.approve_subcontractorder",
            "subcontract_orders.send_subcontractorder",
            "policies.add_priceagreement",
            "policies.change_priceagreement",
            "documents.start_generationrun",
            "documents.confirm_generationrun",
            "activity.take_alert",
            "shipments.change_shipment",
            "receipts.change_receipt",
            "receipts.add_return",
            "receipts.change_return",
            "receipts.count_vendorstock",
            "receipts.write_off_material",
            "receipts.change_directpurchase",
            "receipts.change_directdelivery",
            "invoices.release_invoice",
            "invoices.add_chargeback",
            "invoices.change_chargeback",
        }
    ),
    "dock": frozenset(
        {
            "shipments.view_shipment",
            "shipments.change_shipment",
            "receipts.view",
            "receipts.change_receipt",
            "production.report_operation",
            "receipts.add_return",
            "receipts.change_return",
            "receipts.count_vendorstock",
            "inventory.view",
        }
    ),
    "quality": frozenset(
        {"view", "staff", "policies.add_vendorapproval", "policies.change_vendorapproval", "receipts.inspect_receipt"}
    ),
    "payables": frozenset(
        {
            "view",
            "invoices.add_invoice",
            "invoices.change_invoice",
            "invoices.release_invoice",
            "invoices.approve_invoice",
            "invoices.export_invoice",
            "accounting.add_confirmation",
            "accounting.change_confirmation",
            "accounting.close_period",
            "accounting.change_account",
            "accounting.add_journalexport",
            "invoices.add_chargeback",
            "invoices.change_chargeback",
        }
    ),
    "auditor": frozenset({"view", "accounts.view", "staff"}),
    "administrator": frozenset({"all", "staff"}),
    "vendor": frozenset(),
}


def role_grants(role: str, permission: str) -> bool:
    """Whether a role holds a permission such as `policies.change_policy`."""
    granted = ROLE_PERMISSIONS.get(role, frozenset())
    if "all" in granted or permission in granted:
        return True
    app, _, action = permission.partition(".")
    if action.startswith("view_") and (f"{app}.view" in granted or ("view" in granted and app != "accounts")):
        return True
    # Master data is changed as a whole, and never deleted but deactivated.
    return app == "masterdata" and "masterdata.change" in granted and action.startswith(("add_", "change_"))
