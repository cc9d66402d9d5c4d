__version__ = "VERSION"
