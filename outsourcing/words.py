"""What apps, models and columns are called, in the language of who reads it.

Their names are made from the code, in English, once for all. Planning pages, breadcrumbs and errors of forms show them: there
each is looked up when it is read. Sentences take `verbose_name_raw`, which stays English.
"""

from django.apps import apps
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext


def _read(name: str) -> str:
    """As the catalog has it, which writes every name with a capital; what it does not have stays as it is."""
    written = str(capfirst(name))
    said = gettext(written)
    return name if said == written else said


in_words = lazy(_read, str)


def name_in_every_language() -> None:
    """Let all names of ours be read anew each time. Migrations go by the names as they were written."""
    for config in apps.get_app_configs():
        for model in config.get_models():
            options = model._meta
            options.verbose_name = in_words(str(options.verbose_name))
            options.verbose_name_plural = in_words(str(options.verbose_name_plural))
            for field in options.local_fields + options.local_many_to_many:
                if isinstance(field.verbose_name, str):  # one that is read lazily is somebody's who does so himself
                    field.verbose_name = in_words(field.verbose_name)
        if isinstance(config.verbose_name, str):
            config.verbose_name = in_words(config.verbose_name)
