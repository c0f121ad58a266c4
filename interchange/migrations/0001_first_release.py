import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('interchange', '0001_initial'), ('interchange', '0002_import_reference'), ('interchange', '0003_import_rejects'), ('interchange', '0004_import_jobs')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlanImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('origin', models.CharField(blank=True, help_text='The folder, the file, or the way it came.', max_length=200)),
                ('counts', models.JSONField(default=dict)),
                ('notes', models.JSONField(default=list)),
                ('rejected', models.PositiveIntegerField(default=0)),
                ('rejects', models.JSONField(default=dict)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('IM-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import',
                'permissions': [('import_plan', 'Can import plans and master data')],
            },
        ),
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('reading', 'Reading'), ('done', 'Done'), ('refused', 'Refused'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', max_length=10)),
                ('is_dry', models.BooleanField(default=False)),
                ('asked_at', models.DateTimeField()),
                ('origin', models.CharField(blank=True, max_length=200)),
                ('options', models.JSONField(default=dict)),
                ('size', models.PositiveBigIntegerField(default=0, help_text='Bytes, as they came.')),
                ('is_to_stop', models.BooleanField(default=False)),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('report', models.JSONField(default=dict)),
                ('errors', models.JSONField(default=list)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('IJ-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('result', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='interchange.planimport')),
            ],
            options={
                'verbose_name': 'import job',
                'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'reading'))), fields=['id'], name='import_job_unfinished')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'reading', 'done', 'refused', 'failed', 'cancelled'])), name='import_job_state')],
            },
        ),
        migrations.CreateModel(
            name='ImportPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('position', models.PositiveIntegerField()),
                ('data', models.BinaryField()),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='interchange.importjob')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'name', 'position'), name='import_part_once')],
            },
        ),
    ]
