from django.apps import AppConfig


class SubcontractOrdersConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "subcontract_orders"
    verbose_name = "Subcontract orders"
