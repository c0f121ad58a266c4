"""The vendor's page of one order, under the signed link he was sent."""

from django.urls import path

from portal import views

app_name = "portal"
urlpatterns = [
    path("<str:token>/", views.order, name="order"),
    path("<str:token>/accept/", views.accept, name="accept"),
    path("<str:token>/counter/", views.counter, name="counter"),
    path("<str:token>/refuse/", views.refuse, name="refuse"),
    path("<str:token>/tell/", views.tell, name="tell"),
    path("<str:token>/files/<str:sha256>/", views.file, name="file"),
]
