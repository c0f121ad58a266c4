"""The buyer's pages. Numbers and codes may hold slashes, so the operation stands behind a fixed word."""

from django.urls import path

from workbench.views import alerts, decisions, jump, orders, runs, worklist

app_name = "workbench"
urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("orders/", orders.order_list, name="order_list"),
    path("orders/act/", orders.act_on_many, name="act_on_many"),
    path("orders/<str:number>/", orders.order, name="order"),
    path("orders/<str:number>/approve/", orders.approve, name="approve"),
    path("orders/<str:number>/send/", orders.send, name="send"),
    path("decisions/", decisions.decision_list, name="decision_list"),
    path("decisions/<path:number>/operations/<path:operation_no>/", decisions.decision, name="decision"),
    path("alerts/", alerts.alert_list, name="alert_list"),
    path("alerts/<str:reference>/apply/", alerts.apply, name="apply_alert"),
    path("runs/", runs.run_list, name="run_list"),
    path("runs/generate/", runs.generate, name="generate"),
    path("runs/<str:number>/", runs.run, name="run"),
    path("jump/", jump.jump, name="jump"),
]
