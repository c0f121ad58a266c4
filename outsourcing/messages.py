"""Messages are kept in the language of who reads them: whoever acted reads what came of it."""

from django.contrib.messages.storage.fallback import FallbackStorage
from django.utils.safestring import SafeString

from workbench.rules.sentences import told


class Storage(FallbackStorage):
    """What pages and admin say after an act, refusals with it. Markup is somebody's who speaks the language already."""

    def add(self, level: int, message: str, extra_tags: str | None = "") -> None:
        super().add(level, message if isinstance(message, SafeString) else told(str(message)), extra_tags)
