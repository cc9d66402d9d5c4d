"""Fails unless the app of this host answers; and is the release that is named, if one is."""

import sys
import urllib.request

port = open("../../port").read().strip()
answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).read().decode().strip()
print(answer)
wanted = sys.argv[1] if len(sys.argv) > 1 else ""
if wanted not in answer:
    sys.exit(f"expected {wanted}, got: {answer}")
