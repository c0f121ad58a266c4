"""Runs on the planning pages."""

from django.test import Client
from django.urls import reverse

from accounts import services as accounts
from accounts.models import User
from documents.models import GenerationRequest


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role)
    accounts.give_role(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def test_generate_now_wishes_for_a_run_at_once():
    answer = signed_in("planner").post(
        reverse("admin:documents_generationrun_generate_now"), {"_form_submitted": "True"}
    )

    assert answer.headers["HX-Redirect"] == reverse("admin:documents_generationrun_changelist")
    request = GenerationRequest.objects.get()
    assert request.requested_by.username == "planner"
    assert request.not_before == request.requested_at


def test_opening_the_dialog_starts_nothing():
    assert signed_in("planner").get(reverse("admin:documents_generationrun_generate_now")).status_code == 200
    assert not GenerationRequest.objects.exists()


def test_an_auditor_starts_no_run():
    client = signed_in("auditor")

    answer = client.post(reverse("admin:documents_generationrun_generate_now"), {"_form_submitted": "True"})

    assert answer.status_code == 403
    assert "Generate now" not in client.get(reverse("admin:documents_generationrun_changelist")).content.decode()
    assert not GenerationRequest.objects.exists()
