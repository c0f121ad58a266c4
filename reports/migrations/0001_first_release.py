import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('reports', '0001_measurements')]

    initial = True

    dependencies = [
        ('masterdata', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Feed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20, unique=True)),
                ('done_id', models.BigIntegerField(default=0)),
                ('seen_id', models.BigIntegerField(default=0)),
                ('horizon', models.BigIntegerField(default=0)),
                ('measured_at', models.DateTimeField(null=True)),
                ('settings', models.CharField(blank=True, help_text='What the measurements were taken with.', max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(max_length=20)),
                ('day', models.DateField()),
                ('value', models.IntegerField(default=0, help_text='What was measured, where its distribution is read: days, minutes.')),
                ('amount', models.DecimalField(decimal_places=5, max_digits=22)),
                ('base', models.DecimalField(decimal_places=5, max_digits=22)),
                ('source', models.CharField(max_length=20)),
                ('row_id', models.BigIntegerField()),
                ('document', models.CharField(max_length=80)),
                ('line_no', models.PositiveIntegerField(null=True)),
                ('process', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.process')),
                ('site', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.vendor')),
                ('work_center', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.workcenter')),
            ],
            options={
                'permissions': [('rebuild_measurement', 'Can have all figures measured anew')],
                'indexes': [models.Index(fields=['figure', 'day', 'id'], name='measurement_by_day')],
                'constraints': [models.UniqueConstraint(fields=('source', 'row_id', 'figure'), name='measurement_once')],
            },
        ),
        migrations.CreateModel(
            name='Rollup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(max_length=20)),
                ('day', models.DateField()),
                ('value', models.IntegerField(default=0, help_text='What was measured, where its distribution is read: days, minutes.')),
                ('amount', models.DecimalField(decimal_places=5, max_digits=22)),
                ('base', models.DecimalField(decimal_places=5, max_digits=22)),
                ('grain', models.CharField(choices=[('day', 'Day'), ('month', 'Month')], max_length=5)),
                ('count', models.IntegerField()),
                ('process', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.process')),
                ('site', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.vendor')),
                ('work_center', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.workcenter')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('count', 0)), fields=['id'], name='rollup_empty')],
                'constraints': [models.UniqueConstraint(fields=('figure', 'grain', 'day', 'vendor', 'process', 'site', 'work_center', 'value'), name='rollup_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('grain__in', ['day', 'month'])), name='rollup_grain')],
            },
        ),
    ]
