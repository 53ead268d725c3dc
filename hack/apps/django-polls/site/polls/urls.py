from django.urls import path

from . import views

urlpatterns = [
    path("", views.index),
    path("feed/", views.Latest()),
    path("<int:number>/", views.detail, name="detail"),
    path("<int:number>/vote/", views.vote),
    path("export/<str:kind>/", views.export),
]
