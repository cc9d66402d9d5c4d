from django.http import HttpResponse
from pretalx import __version__

def index(request):
    return HttpResponse(__version__)

def status(request):
    return HttpResponse("OK")
