from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Finds words within words by index. A trusted extension: the owner of the database may make it."""

    dependencies = [("core", "0002_answer_headers")]

    operations = [TrigramExtension()]
