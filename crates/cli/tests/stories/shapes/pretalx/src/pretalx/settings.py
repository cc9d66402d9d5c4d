import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.getenv("SECRET_KEY", "---")
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.staticfiles", "pretalx.event"]
MIDDLEWARE = []
ROOT_URLCONF = "pretalx.urls"
WSGI_APPLICATION = "pretalx.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.getenv("DB_NAME", BASE_DIR / "db.sqlite3")}}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static-collected"
