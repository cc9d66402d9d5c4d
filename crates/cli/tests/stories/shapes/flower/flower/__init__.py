__version__ = 'VERSION'
