import os
import re

from setuptools import find_packages, setup


def get_package_version():
    with open(os.path.join(os.path.dirname(__file__), "flower/__init__.py"), "rb") as initfile:
        return re.search(r"__version__ = '([^']+)'", initfile.read().decode("utf-8")).group(1)


def get_requirements(filename):
    return open("requirements/" + filename).read().splitlines()


setup(
    name="flower",
    version=get_package_version(),
    packages=find_packages(exclude=["tests", "tests.*"]),
    install_requires=get_requirements("default.txt"),
    entry_points={"console_scripts": ["flower = flower.__main__:main"]},
)
