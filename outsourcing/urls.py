"""All addresses: pages, planning admin, API."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from accounts.rules import role_grants
from outsourcing import schema  # noqa: F401  registers how tokens are described
from outsourcing.first_plan import load_demo_plan
from outsourcing.health import healthz
from workbench.views.me import SignIn

# Each of these apps states its resources in `api.ROUTES`.
APPS_WITH_RESOURCES = (
    "masterdata",
    "activity",
    "inventory",
    "production",
    "policies",
    "receipts",
    "documents",
    "invoices",
    "interchange",
    "accounting",
    "reports",
)


class KeyRouter(SimpleRouter):
    """Resources addressed by business keys, which may hold slashes.

    An action below a row (`…/cancel/`) is looked at before the row itself, whose key would else swallow it. A key that itself
    ends like an action is found with the list's filter.
    """

    routes = [SimpleRouter.routes[0], SimpleRouter.routes[1], SimpleRouter.routes[3], SimpleRouter.routes[2]]

    def _get_dynamic_route(self, route: Any, action: Any) -> Any:
        """A paper is addressed like a file: `…/delivery-note.pdf`, without a slash behind it."""
        made = super()._get_dynamic_route(route, action)
        is_file = action.url_path.endswith((".pdf", ".xml"))
        return made._replace(url=made.url.replace("{trailing_slash}", "")) if is_file else made


def resources() -> list[URLPattern]:
    router = KeyRouter()
    for app in APPS_WITH_RESOURCES:
        for prefix, viewset in import_module(f"{app}.api").ROUTES:
            router.register(prefix, viewset, basename=f"api-{prefix}")
    return router.urls


# The Swagger page draws with styles in its elements; the looser policy is for this page alone.
api_docs: Any = csp_update({"style-src": ["'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema", authentication_classes=[], permission_classes=[])
)


def sign_in_offers() -> dict[str, Any]:
    """The demo's users who have a work list or work at the dock, where this is a demo; a click signs in as one."""
    if not settings.DEMO_USERS:
        return {}
    demo = import_module("outsourcing.demo")
    rights = ("subcontract_orders.view_subcontractorder", "shipments.change_shipment")
    shown = [user for user in demo.USERS if any(role_grants(user.role, right) for right in rights)]
    return {"demo_users": shown, "demo_password": demo.PASSWORD}


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path(
        "sign-in/",
        SignIn.as_view(extra_context=sign_in_offers()),
        name="login",
    ),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path(
        "api/v1/schema/",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="api-schema",
    ),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/v1/", include(resources())),
    path("start/demo/", load_demo_plan, name="load_demo_plan"),
    path("v/", include("portal.urls")),
    path("", include("workbench.urls")),
]

handler400 = "outsourcing.problems.bad_request"
handler403 = "outsourcing.problems.forbidden"
handler404 = "outsourcing.problems.not_found"
handler500 = "outsourcing.problems.failed"
