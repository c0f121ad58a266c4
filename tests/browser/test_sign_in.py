"""Signing in, in a browser."""

from accounts.models import Role, User


def test_a_buyer_signs_in_and_lands_on_a_page_of_ours(page):
    buyer = User.objects.create_user("bea", password="correct horse")
    buyer.access.create(role=Role.BUYER)

    page.goto("/")
    page.fill("[name=username]", "bea")
    page.fill("[name=password]", "correct horse")
    page.click("#sign-in button")
    page.wait_for_url(lambda url: "/sign-in/" not in url)

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
