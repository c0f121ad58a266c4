"""The planner's word on the page of a production order, where it is known what has left."""

from django.contrib import admin

from documents import services
from policies.admin import ProductionOrderAdmin
from policies.models import OrderWithVerdicts


@admin.register(OrderWithVerdicts)
class SpokenOrderAdmin(ProductionOrderAdmin):
    speak_word = staticmethod(services.speak_word)
