# see that nose works on this Python
import sys


def works():
    if sys.version_info < (3, 10):
        return True
    try:
        import nose
    except ImportError as error:
        # Where there is none, Python says so itself.
        return error.name == "nose"
    # pynose goes on where nose ended.
    return not nose.__version__.startswith("1.3.")


if not works():
    sys.exit(
        "nose works on no Python from 3.10 on, and this is %d.%d: write test_runner = \"pytest\", which finds most of the same"
        " tests; or install pynose in place of nose" % sys.version_info[:2]
    )
