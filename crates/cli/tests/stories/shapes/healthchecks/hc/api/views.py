from django.http import HttpResponse
from hc.api.models import Check

def index(request):
    return HttpResponse("VERSION")

def status(request):
    Check.objects.count()
    return HttpResponse("OK")
