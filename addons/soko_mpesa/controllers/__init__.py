from . import export, health, main
