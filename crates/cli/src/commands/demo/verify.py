"""Fails unless the app of this host answers, and is the release that was just switched to."""

import os
import sys
import time
import urllib.request

port = open("../../port").read().strip()
wanted = os.environ["BUEDAFAB_DESCRIBE"]
answer = "no answer"
for attempt in range(50):
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).read().decode()
        if wanted in answer:
            sys.exit(0)
    except OSError as error:
        answer = str(error)
    time.sleep(0.1)
sys.exit(f"expected {wanted}, got: {answer}")
