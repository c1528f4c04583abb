from . import health, main
