from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import JavaScriptCatalog
from django.views.static import serve

urlpatterns = [
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view()),
    re_path(r"^static/(?P<path>.*)$", serve, {"document_root": "/srv/static"}),
    path("", include("polls.urls")),
]
