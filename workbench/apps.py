from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "workbench"
    verbose_name = "Workbench"

    def ready(self) -> None:
        from activity import services as activity
        from workbench.rules import alert_in_words

        # Mails lie below the pages and know no words of theirs.
        activity.say_alerts(lambda alert: alert_in_words(alert.kind, alert.headline, alert.before, alert.after))
