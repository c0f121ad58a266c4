"""The guide of a first start: what is still missing until the first order can be sent, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from documents.models import GenerationRequest, GenerationRun, RunState
from interchange import services as interchange
from interchange.models import ImportJob
from interchange.services.jobs import JobProgress
from masterdata.models import WorkCenter
from policies.models import Policy, PolicyStatus
from production.models import ProductionOrder

MAY_IMPORT = "interchange.import_plan"
MAY_PLAN = "policies.add_policy"
MAY_START = "documents.start_generationrun"


@dataclass(slots=True)
class Way:
    """One way to do a step: a page to go to, or (`posts`) something to do at once."""

    word: str
    href: str
    glyph: str
    posts: bool = False


@dataclass(slots=True)
class FirstStep:
    """One step: what it is, whether it is done, how this person does it; `whom` to ask where he may not."""

    title: str
    text: str
    done: bool
    ways: list[Way] = field(default_factory=list)
    whom: str = ""
    state: str = "later"


@dataclass(slots=True)
class Guide:
    """The steps, and the import that is being read now."""

    steps: list[FirstStep]
    reading: JobProgress | None = None
    deciding: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether something goes on by itself; nobody need press anything meanwhile."""
        return self.reading is not None or self.deciding

    @property
    def looks_again(self) -> bool:
        """Whether the page looks again by itself: a run starts seconds after the plan is in."""
        return self.is_busy or all(step.done for step in self.steps[:2])


def guide(request: HttpRequest) -> Guide:
    """Where a first start stands. It is asked for only while there is no order at all."""
    has_plan = ProductionOrder.objects.exists()
    job = ImportJob.objects.unfinished().filter(is_dry=False).order_by("-pk").first()
    goes_out = (
        Policy.objects.filter(status=PolicyStatus.ACTIVE).exists() or WorkCenter.objects.exclude(vendor=None).exists()
    )
    steps = [
        _plan(request, done=has_plan),
        FirstStep(
            _("Say what goes outside"),
            _("A policy says which work goes to which vendor. Work centers that belong to a vendor need none."),
            done=has_plan and goes_out,
            ways=[Way(_("Write a policy"), reverse("admin:policies_policy_add"), "plus")]
            if request.user.has_perm(MAY_PLAN)
            else [],
            whom=_("A planner does this."),
        ),
        FirstStep(
            _("Decide every operation"),
            _(
                "A run gives every open operation its verdict and makes the orders. It also starts by itself once a plan is in."
            ),
            done=GenerationRun.objects.filter(state=RunState.DONE, operations__gt=0).exists(),
            ways=[Way(_("Generate now"), reverse("workbench:generate"), "player-play", posts=True)]
            if request.user.has_perm(MAY_START)
            else [],
            whom=_("A planner or a buyer does this."),
        ),
        FirstStep(
            _("Approve and send the first order"),
            _("Orders appear on this page. Open one, look why it exists, approve it and send it to its vendor."),
            done=False,
        ),
    ]
    now = next(step for step in steps if not step.done)
    for step in steps:
        step.state = "done" if step.done else "now" if step is now else "later"
    deciding = has_plan and (
        GenerationRun.objects.unfinished().exists() or GenerationRequest.objects.filter(run=None).exists()
    )
    return Guide(steps, interchange.job_progress(job) if job else None, deciding)


def _plan(request: HttpRequest, *, done: bool) -> FirstStep:
    ways = []
    if request.user.has_perm(MAY_IMPORT):
        ways = [
            Way(_("Import a plan"), reverse("admin:interchange_importjob_new"), "upload"),
            # The demo lies in the app above; its address is known by name.
            Way(_("Load the demo plan"), reverse("load_demo_plan"), "bike", posts=True),
        ]
    return FirstStep(
        _("Load a plan"),
        _("Parts, routings, vendors, prices and production orders, as CSV files or out of your ERP. To look around first, take "
          "the demo: a bicycle factory."),
        done=done, ways=ways, whom=_("A planner does this."),
    )  # fmt: skip
