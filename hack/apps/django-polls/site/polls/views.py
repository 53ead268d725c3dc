from zoneinfo import ZoneInfo

from django.contrib.syndication.views import Feed
from django.core import serializers
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from .models import Choice, Question


def index(request):
    return render(request, "polls/index.html", {"questions": Question.objects.order_by("-published")})


def detail(request, number):
    timezone.activate(ZoneInfo(request.GET.get("zone", "UTC")))
    return render(request, "polls/detail.html", {"question": get_object_or_404(Question, pk=number)})


def vote(request, number):
    Choice.objects.filter(question=number, pk=request.POST["choice"]).update(votes=F("votes") + 1)
    return redirect("detail", number=number)


def export(request, kind):
    return HttpResponse(serializers.serialize(kind, Choice.objects.all()), "text/plain")


class Latest(Feed):
    title = "Polls"
    link = "/"

    def items(self):
        return Question.objects.all()

    def item_link(self, item):
        return f"/{item.pk}/"
