"""The loaded demo, and sheets that Odoo must refuse: asked in Odoo's shell, on a copy."""

import json
import os
from pathlib import Path

import pytest
from soko import databases, postgres

DEMO = Path(__file__).resolve().parent.parent / "tools" / "demo"
MARK = "FOUND:"

# Runs in Odoo's shell. Nothing of it is kept: the shell rolls back.
QUESTIONS = """
import json, sys, tempfile
from pathlib import Path
DEMO = Path({demo!r})
sys.path.insert(0, str(DEMO))
from sheets import SheetError, import_sheet

MODELS = {{
    "artisans": "soko.artisan", "groups": "soko.artisan.group", "agreements": "soko.agreement",
    "lines": "soko.agreement.line", "products": "product.template", "users": "res.users",
    "receipts": "stock.picking", "inspections": "soko.qc.inspection", "boms": "mrp.bom",
    "payees": "res.partner.bank", "plans": "soko.qc.plan", "criteria": "soko.qc.criterion",
}}

def ours(model):
    data = env["ir.model.data"].search([("module", "=", "soko_demo"), ("model", "=", model)])
    return env[model].browse(data.mapped("res_id"))

def count():
    return {{name: env[model].search_count([]) for name, model in MODELS.items()}}

def refused(model, *lines):
    before = count()
    with tempfile.TemporaryDirectory() as folder, env.cr.savepoint() as savepoint:
        path = Path(folder) / "wrong.csv"
        path.write_text("\\n".join(lines))
        try:
            import_sheet(env(user=clerk.id, su=False), path, model)
            answer = "imported"
        except SheetError as error:
            answer = str(error)
        savepoint.rollback()
    return [answer, count() == before]

clerk = env["res.users"].search([("login", "=", "clerk")])
head = "id,artisan_id,line_ids/product_id,line_ids/price_type,line_ids/price_fixed"
good = "x.a,Akinyi Mfano,Window cuff,fixed,1400"
found = {{"before": count()}}
found["product"] = refused("soko.agreement", head, good, "x.b,Akinyi Mfano,No such cuff,fixed,900")
found["number"] = refused("soko.agreement", head, good, "x.b,Akinyi Mfano,Bone bangle,fixed,much")
found["artisan"] = refused("soko.agreement", head, "x.b,Nobody Mfano,Bone bangle,fixed,900")
found["phone"] = refused("res.partner.bank", "id,partner_id,acc_number,acc_type",
                         "x.p,Akinyi Mfano,+49 30 901820,mpesa")
found["consent"] = refused("soko.artisan", "id,name,is_published", "x.c,Somebody Mfano,True")

consigned = env["product.template"].search([("soko_consigned", "=", True)])
found["stock"] = sum(consigned.product_variant_ids.mapped("free_qty"))
found["plated"] = sum(consigned.filtered(
    lambda p: "gold plated" in p.name).product_variant_ids.mapped("free_qty"))
found["ownerless"] = env["stock.quant"].search_count([
    ("product_id.soko_consigned", "=", True), ("location_id.usage", "=", "internal"),
    ("owner_id", "=", False), ("quantity", ">", 0)])
found["savanna"] = env["product.product"].search([
    ("name", "=", "Savanna cuff, raw brass")]).free_qty
payees = ours("res.partner.bank")
found["payees"] = len(payees)
found["verified"] = len(payees.filtered(lambda bank: bank._soko_mpesa_is_verified()))
found["drafts"] = len(ours("soko.agreement").filtered(lambda a: a.state != "active"))
found["ours"] = {{
    name: len(ours(model)) for name, model in MODELS.items() if name not in ("lines", "users")}}

env["ir.config_parameter"].set_param("soko_demo.loaded", "an older state")
import importlib.util
spec = importlib.util.spec_from_file_location("demo_load", DEMO / "load.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
found["logins"] = module.load(env)
found["after"] = count()
print({mark!r} + json.dumps(found))
env.cr.rollback()
"""


@pytest.fixture(scope="module")
def found():
    """What the questions found on a copy of the demo."""
    server = postgres.server()
    name = f"soko_e2e_demo_{os.getpid()}"
    with server.hold():
        demo = databases.ensure_demo(server)
        with databases.copy_of(server, demo, name):
            with databases.Builder(server, name, "demo-questions.log") as odoo:
                code = QUESTIONS.format(demo=str(DEMO), mark=MARK)
                printed = odoo.shell(code, "the demo could not be asked")
    [line] = [line for line in printed.splitlines() if line.startswith(MARK)]
    return json.loads(line[len(MARK):])


def test_everything_of_the_sheets_is_there(found):
    ours = found["ours"]
    assert ours["artisans"] == 30
    assert ours["groups"] == 3
    assert ours["products"] == 40
    assert ours["agreements"] == 20
    assert ours["plans"] == 1
    assert ours["criteria"] == 2
    assert ours["boms"] == 10
    assert found["drafts"] == 0


def test_the_shop_is_not_empty_and_every_piece_has_an_owner(found):
    assert found["stock"] > 100
    assert found["plated"] == 7
    assert found["ownerless"] == 0


def test_the_story_starts_with_an_empty_shelf(found):
    assert found["savanna"] == 0


def test_payees_are_verified_by_a_second_person(found):
    assert found["payees"] == found["verified"] == 16


@pytest.mark.parametrize(
    "sheet, row, words",
    [
        ("product", "row 3", "No such cuff"),
        ("number", "row 3", "much"),
        ("artisan", "row 2", "Nobody Mfano"),
        ("phone", "row 2", "+254"),
        ("consent", "row 2", "has not agreed"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_imported(found, sheet, row, words):
    text, nothing_kept = found[sheet]
    assert text.startswith("wrong.csv")
    assert words in text
    assert row in text
    assert nothing_kept


def test_loading_again_adds_nothing(found):
    assert found["after"] == found["before"]


def test_everybody_can_log_in(found):
    logins = {person["login"] for person in found["logins"]}
    assert logins == {"admin", "clerk", "inspector", "approver", "manager", "akinyi", "shopper"}
    assert all(person["password"] and person["role"] and person["url"]
               for person in found["logins"])
