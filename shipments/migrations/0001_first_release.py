import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('shipments', '0001_initial'), ('shipments', '0002_outbound')]

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('inventory', '0001_first_release'),
        ('masterdata', '0001_first_release'),
        ('subcontract_orders', '0001_first_release'),
    ]

    operations = [
        migrations.CreateModel(
            name='Shipment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('status', models.CharField(choices=[('planned', 'Planned'), ('picked', 'Picked'), ('dispatched', 'Dispatched'), ('delivered', 'Delivered'), ('held', 'Held'), ('cancelled', 'Cancelled'), ('reversed', 'Reversed')], default='planned', max_length=10)),
                ('dispatch_by', models.DateField()),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('dispatched_at', models.DateTimeField(editable=False, null=True)),
                ('arrives_on', models.DateField(editable=False, null=True)),
                ('delivered_at', models.DateTimeField(editable=False, null=True)),
                ('reversed_at', models.DateTimeField(editable=False, null=True)),
                ('held_from', models.CharField(blank=True, max_length=10)),
                ('dispatched_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.site')),
                ('to_location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.location')),
                ('vendor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.vendor')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'planned')), fields=['dispatch_by', 'id'], name='shipment_planned'), models.Index(condition=models.Q(('status', 'dispatched')), fields=['arrives_on'], name='shipment_on_its_way')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['planned', 'picked', 'dispatched', 'delivered', 'held', 'cancelled', 'reversed'])), name='shipment_status'), models.CheckConstraint(condition=models.Q(('from_location', models.F('to_location')), _negated=True), name='shipment_goes_somewhere'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ('dispatched', 'delivered')), _negated=True), ('dispatched_at__isnull', False), _connector='OR'), name='shipment_dispatched_says_when')],
            },
        ),
        migrations.CreateModel(
            name='ShipmentLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('stage', models.CharField(blank=True, max_length=90)),
                ('quantity', models.DecimalField(decimal_places=5, max_digits=18)),
                ('component', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.ordercomponent')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='masterdata.item')),
                ('lot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.lot')),
                ('order_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subcontract_orders.orderline')),
                ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shipments.shipment')),
            ],
            options={
                'indexes': [models.Index(fields=['order_line'], name='shipment_line_of_order_line')],
                'constraints': [models.UniqueConstraint(fields=('shipment', 'position'), name='shipment_line_position'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='shipment_line_quantity_above_zero')],
            },
        ),
    ]
