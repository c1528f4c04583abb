"""Fill an empty database with the demo: a house in Nairobi with makers, pieces, a shop and staff.

Runs inside Odoo's shell, which gives `env`. The data are the sheets beside this file, imported
by Odoo's own import; goods come in by drop-offs and inspections, plated pieces by plating runs:
nothing is written that a person could not have done. `load(env, urls)` may be called again: it
does what is missing. A sheet that Odoo refuses stops everything, with its file and row.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from odoo.tools import SQL

HERE = Path(globals().get("__file__") or "tools/demo/load.py").resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

import looks  # noqa: E402  (the folder is on the path only now)
import work  # noqa: E402
from sheets import import_sheet, read_rows  # noqa: E402

LOADED = "soko_demo.loaded"
IMAGES = HERE / "images"

# The sheets in the order of what they need: (sheet, model, login of who imports it).
MASTER_SHEETS = (
    ("contacts", "res.partner", "admin"),
    ("product_categories", "product.category", "admin"),
    ("shop_categories", "product.public.category", "admin"),
    ("products", "product.template", "admin"),
    ("users", "res.users", "admin"),
    ("groups", "soko.artisan.group", "clerk"),
    ("artisans", "soko.artisan", "clerk"),
    ("agreements", "soko.agreement", "clerk"),
    ("portal_users", "res.users", "admin"),
)
QUALITY_SHEETS = (
    ("plated_products", "product.template", "manager"),
    ("qc_plans", "soko.qc.plan", "manager"),
    ("work_centers", "mrp.workcenter", "manager"),
    ("plating_processes", "soko.plating.process", "manager"),
    ("plating_baths", "soko.plating.bath", "manager"),
    ("boms", "mrp.bom", "manager"),
)
ROLES = {
    "admin": "Administrator: everything but approving payouts",
    "clerk": "Clerk: takes drop-offs in, ships orders, enters payees",
    "inspector": "Inspector: inspects pieces, runs the plating line",
    "approver": "Approver: verifies payees, approves payouts",
    "manager": "Manager: artisans, quality, books and M-Pesa settings",
    "akinyi": "Artisan: her page on the phone",
    "shopper": "Shopper: orders, and \"I received it\"",
}
PAGES = {"akinyi": "/my/artisan", "shopper": "/my/orders"}


def load(env, urls=None):
    """Load the demo, or what is missing of it, and return who can log in.

    :param env: environment of the superuser
    :param dict urls: addresses of the running system, any of `odoo`, `simulator`; the launcher's
        environment variables go before them
    :return: a list of dictionaries with login, password, role and url
    """
    urls = urls or {}
    company = env.ref("base.main_company")
    env = env(context=dict(env.context, allowed_company_ids=company.ids, tracking_disable=True))
    set_addresses(env, urls)
    digest = digest_of_sheets()
    if env["ir.config_parameter"].sudo().get_param(LOADED) != digest:
        load_data(env, company, urls)
        env["ir.config_parameter"].sudo().set_param(LOADED, digest)
    return logins(env)


def load_data(env, company, urls):
    """Load everything, in the order in which a house is built."""
    looks.set_company(env, company, IMAGES)
    import_all(env, MASTER_SHEETS)
    looks.set_taxes(env, company)
    looks.set_shop(env, company, IMAGES)
    activate_agreements(env)
    if "soko.mpesa.account" in env:
        work.set_up_mpesa(env, company, urls, import_all)
    if "soko.qc.plan" in env:
        import_all(env, QUALITY_SHEETS)
    work.bring_in(env, HERE / "drop_offs.csv")


def as_user(env, login):
    """Return the environment of a user by login; administrators stay superuser."""
    if login == "admin":
        return env
    user = env["res.users"].search([("login", "=", login)], limit=1)
    return env(user=user.id, su=False)


def import_all(env, sheets):
    """Import sheets, each by the person whose work it is; return the records of the last."""
    records = None
    for name, model, login in sheets:
        if model in env:
            folder = IMAGES
            records = import_sheet(as_user(env, login), HERE / f"{name}.csv", model, folder)
            # the planner has not seen rows that are not committed yet: names are looked up next
            env.cr.execute(SQL("ANALYZE %s", SQL.identifier(records._table)))
            if model == "product.template":
                env.cr.execute("ANALYZE product_product")
            print(f"{name}: {len(records)} imported")
    return records


def activate_agreements(env):
    """Put the imported agreements in force."""
    names = [row["id"] for row in read_rows(HERE / "agreements.csv") if row["id"]]
    agreements = env["soko.agreement"].union(*(env.ref(name) for name in names))
    clerk = as_user(env, "clerk")
    agreements.filtered(lambda a: a.state == "draft").with_env(clerk).action_activate()


def set_addresses(env, urls):
    """Let links in e-mails and messages lead to the running system."""
    if urls.get("odoo"):
        parameters = env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url", urls["odoo"])
        parameters.set_param("web.base.url.freeze", "True")


def digest_of_sheets():
    """Return what tells one state of the demo data from another."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.csv")) + sorted(IMAGES.glob("*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def logins(env):
    """Return login, password, role and first page of everybody who can log in."""
    base_url = env["ir.config_parameter"].sudo().get_param("web.base.url")
    known = env["res.users"].search([("login", "in", list(ROLES))]).mapped("login")
    return [
        {"login": login, "password": login, "role": role,
         "url": base_url + PAGES.get(login, "/odoo")}
        for login, role in ROLES.items() if login in known
    ]


def main(env):
    """Load, keep everything, and say who can log in: a JSON object a line."""
    urls = {"odoo": os.environ.get("SOKO_URL"), "simulator": os.environ.get("SOKO_SIMULATOR_URL")}
    people = load(env, urls)
    env.cr.commit()
    if target := os.environ.get("SOKO_LOGINS_FILE"):
        Path(target).write_text(json.dumps(people, indent=1), encoding="utf-8")
    for person in people:
        print(json.dumps(person))


if "env" in globals():
    main(globals()["env"])
