import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('activity', '0001_initial'), ('activity', '0002_alert_reference'), ('activity', '0003_people_and_messages'), ('activity', '0004_refused_alerts')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('masterdata', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=30)),
                ('key', models.CharField(max_length=160, unique=True)),
                ('to', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=200)),
                ('body', models.TextField()),
                ('document_kind', models.CharField(blank=True, max_length=30)),
                ('document_number', models.CharField(blank=True, max_length=60)),
                ('revision', models.PositiveIntegerField(null=True)),
                ('created_at', models.DateTimeField()),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at', 'id'], name='message_due')],
            },
        ),
        migrations.CreateModel(
            name='Responsible',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('away_from', models.DateField(blank=True, null=True)),
                ('away_to', models.DateField(blank=True, null=True)),
                ('deputy', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('escalates_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('process', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.process')),
                ('site', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.site')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('vendor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'verbose_name_plural': 'responsible people',
                'constraints': [models.UniqueConstraint(fields=('vendor', 'process', 'site'), name='responsible_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('process__isnull', True), ('vendor__isnull', False), _connector='OR'), name='responsible_process_of_vendor'), models.CheckConstraint(condition=models.Q(models.Q(('away_from__isnull', True), ('away_to__isnull', True)), models.Q(('away_from__isnull', False), ('away_to__gte', models.F('away_from')), ('deputy__isnull', False)), _connector='OR'), name='responsible_away_has_deputy')],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=160)),
                ('severity', models.CharField(choices=[('info', 'Info'), ('warning', 'Warning'), ('critical', 'Critical')], default='warning', max_length=10)),
                ('title', models.CharField(max_length=300)),
                ('order_number', models.CharField(blank=True, max_length=20)),
                ('line_no', models.PositiveIntegerField(blank=True, null=True)),
                ('production_order', models.CharField(blank=True, max_length=60)),
                ('operation_no', models.CharField(blank=True, max_length=20)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('proposes', models.CharField(blank=True, help_text='What applying it would do: change, cancel, order …', max_length=30)),
                ('opened_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('taken_at', models.DateTimeField(null=True)),
                ('due_date', models.DateField(null=True)),
                ('act_by', models.DateTimeField(help_text='When it goes one step up if nobody has taken it.', null=True)),
                ('escalated_at', models.DateTimeField(null=True)),
                ('snoozed_until', models.DateTimeField(help_text='Put off: shown again, and reminded of, from then on.', null=True)),
                ('refused_at', models.DateTimeField(help_text='What it proposes was refused: it is not shown until it proposes something else.', null=True)),
                ('refusal', models.CharField(blank=True, max_length=300)),
                ('reference', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Concat(models.Value('AL-'), django.db.models.functions.comparison.Cast('id', models.CharField())), output_field=models.CharField(max_length=30), unique=True)),
                ('refused_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('responsible', models.ForeignKey(help_text='Who is to look after it, deputies counted.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('taken_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('vendor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'permissions': [('take_alert', 'Can take, snooze and apply alerts')],
                'indexes': [models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['order_number'], name='alert_of_order'), models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['responsible', 'id'], name='alert_of_person')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('kind', 'subject'), name='alert_opens_once'), models.CheckConstraint(condition=models.Q(('severity__in', ['info', 'warning', 'critical'])), name='alert_severity')],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='For example order.approved', max_length=60)),
                ('document_kind', models.CharField(max_length=30)),
                ('document_number', models.CharField(max_length=60)),
                ('at', models.DateTimeField()),
                ('through', models.CharField(default='system', help_text='page, api, admin, run, system', max_length=20)),
                ('data', models.JSONField(default=dict)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('vendor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'indexes': [models.Index(fields=['document_kind', 'document_number', 'id'], name='event_of_document')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='event',
            trigger=pgtrigger.compiler.Trigger(name='event_is_final', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='98b485c9676fd132d6a0d4bd4aa928b3c71ead68', operation='UPDATE OR DELETE', pgid='pgtrigger_event_is_final_a65db', table='activity_event', when='BEFORE')),
        ),
    ]
