"""The demo's plan, for somebody who starts with nothing: read by a worker like any import, so that its progress shows."""

from __future__ import annotations

import io
import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from interchange import services as interchange
from interchange import tasks
from interchange.models import ImportJob
from masterdata import services as masterdata
from masterdata.models import Item
from outsourcing import demo


@require_POST
@login_required
@permission_required("interchange.import_plan", raise_exception=True)
def load_demo_plan(request: HttpRequest) -> HttpResponse:
    """Only into an empty database: nobody's own data are mixed with ours. No users are made."""
    now = timezone.now()
    if Item.objects.exists() or ImportJob.objects.unfinished().exists():
        messages.error(request, _("There are data already; the demo is loaded into an empty database only."))
        return redirect("workbench:worklist")
    plan = demo.read_plan(demo.DEFAULT)
    days = demo.move_to_today(plan, on=masterdata.company_date(at=now), ahead=demo.days_ahead(demo.DEFAULT))
    file = io.BytesIO(json.dumps(demo.moved(plan, days=days)).encode())
    job = interchange.start_job(
        files=[("demo.json", file)], options={}, at=now, by=request.user, origin=f"demo {demo.DEFAULT}"
    )
    tasks.run_import.delay_on_commit(job.pk)
    return redirect("workbench:worklist")
