from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('core', '0003_search_within_words'),
    ]

    dependencies = []

    operations = [TrigramExtension()]
