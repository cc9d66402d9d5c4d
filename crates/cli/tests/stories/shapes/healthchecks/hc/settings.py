import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.getenv("SECRET_KEY", "---")
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.staticfiles", "hc.api"]
MIDDLEWARE = []
ROOT_URLCONF = "hc.urls"
WSGI_APPLICATION = "hc.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.getenv("DB_NAME", BASE_DIR / "hc.sqlite")}}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static-collected"
