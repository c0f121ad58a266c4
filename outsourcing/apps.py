from django.apps import AppConfig


class OutsourcingConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "outsourcing"
    verbose_name = "Outsourcing"
