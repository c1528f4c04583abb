"""The launcher: one command from a fresh machine to Odoo 19 with this project's add-ons.

Standard library only, so that any Python 3.8 or later can start it; Odoo itself then runs in a
virtual environment that the launcher makes. Everything it makes lies in ``.soko/``.

Each room of the house has one job: ``ui`` speaks to people, ``paths`` knows where things lie,
``python_env``, ``odoo_source`` and ``postgres`` fetch what is missing, ``databases`` makes and
copies databases, ``services`` starts and stops processes, ``testing`` runs the tests.
"""
