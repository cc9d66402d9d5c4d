from django.urls import path
from pretalx.event import views

urlpatterns = [path("", views.index), path("healthcheck", views.status)]
