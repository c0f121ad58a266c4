import gc

from django.apps import AppConfig

from outsourcing.words import name_in_every_language

COLLECT_AFTER = (
    50_000  # new objects; at Python's own 700 an import of 10,000 operations spent about an eighth of its time on it
)


class OutsourcingConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "outsourcing"
    verbose_name = "Outsourcing"

    def ready(self) -> None:
        """Read names in every language; look for circles of objects seldom, and never among what is loaded, which stays."""
        name_in_every_language()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)
