"""The house's rules hold for this checkout, and the checker itself notices when they do not."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
from checks.__main__ import main  # noqa: E402
from checks.registry import CHECKS  # noqa: E402
from checks.tree import Tree  # noqa: E402

LINTERS = {"ruff", "pylint-odoo"}  # run by `tools/checks` itself; here only on the small bad tree

MANIFEST = """{
    "name": "Sample",
    "summary": "A sample",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "author": "SOKO",
    "license": "LGPL-3",
    "depends": %r,
}
"""


@pytest.fixture(scope="module")
def tree():
    return Tree(ROOT)


@pytest.fixture
def house(tmp_path):
    """A function that writes files into a made-up checkout and gives the findings of one check."""
    for name in ("pyproject.toml", ".pylintrc"):
        shutil.copy(ROOT / name, tmp_path / name)

    def findings(check, files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return [str(finding) for finding in CHECKS[check](Tree(tmp_path))]

    return findings


def manifest(name, *depends, **more):
    text = MANIFEST % (list(depends),)
    rows = "".join(f"    {key!r}: {value!r},\n" for key, value in more.items())
    return {f"addons/{name}/__manifest__.py": text.replace("}\n", rows + "}\n")}


def says(findings, *parts):
    """Exactly one finding holds all the parts."""
    hits = [f for f in findings if all(part in f for part in parts)]
    assert len(hits) == 1, f"{parts} in {findings}"
    return True


@pytest.mark.parametrize("name", [n for n in CHECKS if n not in LINTERS])
def test_this_checkout(tree, name):
    assert [str(f) for f in CHECKS[name](tree)] == []


def test_the_checkout_is_really_read(tree):
    assert {"soko_artisan", "soko_qc", "soko_mpesa"} <= set(tree.addons)
    assert len(tree.files) > 100


def test_arrows_notices_names_of_another_pillar(house):
    files = {
        **manifest("soko_artisan", "account"),
        **manifest("soko_mpesa", "account"),
        "addons/soko_mpesa/models/payout.py": (
            "class Payout(models.Model):\n"
            "    _name = 'soko.mpesa.payout'\n"
            "class Partner(models.Model):\n"
            "    _inherit = 'res.partner'\n"
            "    soko_float = fields.Integer()\n"
        ),
        "addons/soko_artisan/models/settlement.py": (
            '"""The payout of soko_mpesa may be mentioned here."""\n'
            "# and soko_mpesa here\n"
            "model = 'soko.mpesa.payout'\n"
            "field = partner.soko_float\n"
            "from odoo.addons.soko_mpesa.tools import phone\n"
            "patch('odoo.addons.soko_mpesa.tools.phone')\n"
            "own = 'soko.settlement.line'\n"
        ),
        "addons/soko_artisan/views/a_views.xml": (
            "<odoo>\n<!-- soko_mpesa -->\n<field name='soko_mpesa_number'/>\n"
            "<menuitem id='m' parent='soko_mpesa.menu_root'/>\n</odoo>"
        ),
        "addons/soko_artisan/static/src/a.js": "const method = 'mpesa_b2c';\n",
    }
    found = house("arrows", files)
    assert says(found, "settlement.py:3:", "'soko.mpesa.payout'")
    assert says(found, "settlement.py:4:", "'soko_float'")
    assert says(found, "settlement.py:5:", "'soko_mpesa'")
    assert says(found, "settlement.py:6:", "soko_mpesa")
    assert says(found, "a_views.xml:3:", "'soko_mpesa_number'")
    assert says(found, "a_views.xml:4:", "'soko_mpesa.menu_root'")
    assert says(found, "a.js:1:", "'mpesa_b2c'")
    assert len(found) == 7


def test_arrows_lets_a_bridge_name_what_it_stands_on(house):
    files = {
        **manifest("soko_artisan", "account"),
        **manifest("soko_qc", "stock"),
        **manifest("soko_artisan_qc", "soko_artisan", "soko_qc", auto_install=True),
        "addons/soko_artisan_qc/models/a.py": "a = ['soko.qc.plan', 'soko_artisan.menu_root']\n",
        "addons/soko_artisan/models/a.py": "b = 'soko_artisan_qc.menu_root'\n",
    }
    found = house("arrows", files)
    assert says(found, "addons/soko_artisan/models/a.py:1:", "of soko_artisan_qc")
    assert len(found) == 1


def test_arrows_reads_manifests(house):
    files = {
        **manifest("soko_artisan", "account", "soko_shop"),
        **manifest("soko_shop", "soko_artisan", "website_sale_stock"),
        **manifest("soko_qc", "website_sale", auto_install=True),
        **manifest("soko_new"),
    }
    found = house("arrows", files)
    assert says(found, "soko_artisan/__manifest__.py", "soko_shop, a bridge")
    assert says(found, "soko_qc/__manifest__.py", "depends on website_sale;")
    assert says(found, "soko_qc/__manifest__.py", "auto_install")
    assert says(found, "soko_new/__manifest__.py", "table of arrows")


def test_manifests(house):
    files = {
        **manifest("soko_qc", "stock", data=["views/gone.xml"], installable=True),
        "addons/soko_qc/views/new_views.xml": "<odoo/>",
        "addons/soko_mpesa/__manifest__.py": "{'name': 'x', 'version': '1.0', 'license': 'AGPL-3'}",
    }
    found = house("manifests", files)
    assert says(found, "soko_qc", "views/gone.xml, which does not exist")
    assert says(found, "soko_qc", "views/new_views.xml is not listed")
    assert says(found, "soko_qc", "'installable'", "default")
    assert says(found, "soko_qc", "icon.png is missing")
    assert says(found, "soko_mpesa", "author must be")
    assert says(found, "soko_mpesa", "license must be")
    assert says(found, "soko_mpesa", "19.0.1.0.0")


def test_xml(house):
    path = "addons/soko_qc/views/plan_views.xml"
    files = {
        **manifest("soko_qc", "stock"),
        "addons/soko_qc/views/broken.xml": "<odoo><record></odoo>",
        path: """<odoo>
<data/>
<record model="ir.ui.view" id="plan_form">
<field name="arch" type="xml"><form><a attrs="{}"/><div class="oe_chatter"/></form></field>
</record>
<record id="soko_qc.plan_view_list" model="ir.ui.view">
<field name="arch" type="xml"><tree><field name="a"/></tree></field>
</record>
<record id="plan_view_kanban" model="ir.ui.view">
<field name="arch" type="xml"><kanban><i t-esc="a"/><templates><t t-name="kanban-box"/></templates>
</kanban></field>
</record>
<record id="plan_action" model="ir.actions.act_window">
<field name="res_model">soko.qc.plan</field>
<field name="active">True</field>
</record>
<menuitem id="plan_menu"/>
<menuitem id="plan_menu"/>
<record id="soko_mpesa.group_x" model="res.groups"/>
</odoo>""",
    }
    found = house("xml", files)
    assert says(found, "broken.xml", "not well-formed")
    for line, part in (
        (2, "<data>"),
        (3, "id= stands first"),
        (3, "_view_form"),
        (4, "attrs="),
        (4, "<chatter/>"),
        (6, "own name"),
        (7, "<list>"),
        (10, 't-name="card"'),
        (10, "t-out"),
        (13, "help text"),
        (15, 'eval="True"'),
        (18, "already used"),
        (19, "namespace"),
    ):
        assert says(found, f"{path}:{line}:", part)
    assert says(found, f"{path}:17:", "menu_<what>")


def test_access(house):
    files = {
        **manifest("soko_qc", "stock"),
        "addons/soko_qc/models/soko_qc_plan.py": (
            "class Plan(models.Model):\n    _name = 'soko.qc.plan'\n"
            "class Base(models.AbstractModel):\n    _name = 'soko.qc.mixin'\n"
            "class Defect(models.Model):\n    _name = 'soko.qc.defect'\n    _inherit = ['a']\n"
        ),
        "addons/soko_qc/security/ir.model.access.csv": (
            "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
            "access_plan,soko.qc.plan,model_soko_qc_plan,,1,0,0,yes\n"
        ),
    }
    found = house("access", files)
    assert says(found, "soko_qc_plan.py:5:", "soko.qc.defect has no line")
    assert says(found, "access.csv:2:", "in words")
    assert says(found, "access.csv:2:", "no group")
    assert says(found, "access.csv:2:", "perm_unlink")
    assert len(found) == 4


def test_tests(house):
    test = "@tagged('post_install')\nclass TestA(Case):\n    def test_a(self):\n        pass\n"
    files = {
        **manifest("soko_qc", "stock"),
        **manifest("soko_mpesa", "account"),
        "addons/soko_qc/tests/__init__.py": "from . import test_a\n",
        "addons/soko_qc/tests/test_a.py": test.replace(
            "'post_install'", "'post_install', '-at_install'"
        ),
        "addons/soko_qc/tests/test_b.py": test,
        "addons/soko_qc/tests/test_c.py": "from . import test_a\n",
    }
    found = house("tests", files)
    assert says(found, "soko_mpesa", "no tests")
    assert says(found, "test_b.py", "not imported")
    assert says(found, "test_b.py:2:", "tag it")
    assert says(found, "test_c.py", "not imported")
    assert says(found, "test_c.py", "holds no test")
    assert len(found) == 5


def test_python_files(house):
    body = "".join(f"        x = {n}\n" for n in range(45))
    files = {
        **manifest("soko_qc", "stock"),
        "addons/soko_qc/models/soko_qc_plan.py": (
            f"class Plan(models.Model):\n    _name = 'soko.qc.plan'\n    def long(self):\n{body}"
            "class Defect(models.Model):\n    _name = 'soko.qc.defect'\n"
        ),
        "addons/soko_qc/models/other.py": (
            "class Quant(models.Model):\n    _inherit = 'stock.quant'\n"
            "    def a(self):\n        # safe: only counts\n        return self.sudo().b()\n"
            "    def c(self):\n        return self.sudo().d()\n"
            "    def e(self):\n        # sudo: a guard\n        f = self.sudo()\n"
            "        g = 1\n        return f.sudo(False).h(f.sudo())\n"
        ),
    }
    assert says(house("method-length", files), "soko_qc_plan.py:3:", "long() has 46 lines")
    found = house("one-model-a-file", files)
    assert says(found, "soko_qc_plan.py", "move Defect")
    assert says(found, "other.py", "stock_quant.py")
    found = house("sudo", files)
    assert says(found, "other.py:7:", "without a reason")
    assert len(found) == 1


def test_leaks(house):
    key = "-----BEGIN " + "PRIVATE KEY-----"
    files = {
        "docs/a.md": "see /ho" + "me/someone/notes and /my/home\n",
        "addons/soko_mpesa/const.py": "CONSUMER_SECRET = 'aZ09aZ09aZ09aZ09aZ09aZ09'\n" + key,
    }
    found = house("leaks", files)
    assert says(found, "docs/a.md:1:", "one machine")
    assert says(found, "const.py:1:", "a secret")
    assert says(found, "const.py:2:", "a private key")
    assert len(found) == 3


def test_links(house):
    files = {
        "README.md": "[a](docs/a.md) [b](docs/b.md) ![c](c.png) [d](https://d)\n"
        "[e](docs/a.md#is-it)\n",
        "docs/a.md": "# Is it?\n[up](../README.md) [down](#was-it)\n",
    }
    found = house("links", files)
    assert says(found, "README.md:1:", "docs/b.md")
    assert says(found, "docs/a.md:2:", "#was-it")
    assert len(found) == 2


def test_translations(house):
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    terms = 'msgid "Paid %(sum)s"\nmsgstr "{}"\n\nmsgid "100 % silver"\nmsgstr "{}"\n\n'
    files = {
        **manifest("soko_qc", "stock"),
        **manifest("soko_mpesa", "account"),
        "addons/soko_qc/i18n/soko_qc.pot": head + terms.format("", ""),
        "addons/soko_qc/i18n/sw.po": head + terms.format("Tumelipa %(sum)s", "Fedha tupu"),
        "addons/soko_qc/i18n/fr.po": head + terms.format("Payé %(somme)s", "Argent pur"),
        "addons/soko_qc/i18n/de.po": head
        + "#, fuzzy\n"
        + terms.format("%(sum)s bezahlt", "")
        + terms.format("", "")
        + 'msgid "Old"\nmsgstr ""\n\n#~ msgid "Older"\n#~ msgstr ""\n',
        "addons/soko_qc/i18n/it.po": head + 'msgid "Paid" twice\nmsgstr\n',
    }
    found = house("translations", files)
    assert says(found, "soko_mpesa", "soko_mpesa.pot is missing")
    assert says(found, "fr.po:4:", "'Paid %(sum)s'", "placeholders")
    assert says(found, "de.po:4:", "fuzzy")
    assert says(found, "de.po:11:", "'Paid %(sum)s'", "already")
    assert says(found, "de.po", "'Old'", "not in the .pot")
    assert says(found, "de.po", "'Older'", "out of use")
    assert says(found, "it.po", "can't be read")
    assert not [f for f in found if "sw.po" in f or "soko_qc.pot" in f]


def test_linters(house):
    files = {
        **manifest("soko_qc", "stock"),
        "addons/soko_qc/__init__.py": "from . import models\n",
        "addons/soko_qc/models/__init__.py": "from . import soko_qc_plan\n",
        "addons/soko_qc/models/soko_qc_plan.py": (
            "import os\nfrom odoo import models\n\n\n"
            "class Plan(models.Model):\n    _name = 'soko.qc.plan'\n\n"
            "    def a(self):\n        print('x')\n"
            "        self.env.cr.execute('SELECT %s' % self.id)\n"
        ),
    }
    found = house("ruff", files)
    assert says(found, "soko_qc_plan.py:1:", "F401")
    assert says(found, "soko_qc_plan.py:9:", "T201")
    assert says(house("pylint-odoo", files), "soko_qc_plan.py:10:", "sql-injection")


def test_command_line(house, tmp_path, capsys):
    house("leaks", {**manifest("soko_qc", "website"), **manifest("soko_mpesa", "account")})
    assert main(["--root", str(tmp_path), "--only", "arrows"]) == 1
    assert capsys.readouterr().out.endswith("0 passed, 1 failed\n")
    assert main(["--root", str(tmp_path), "--only", "arrows", "--module", "soko_mpesa"]) == 0
    assert capsys.readouterr().out.endswith("1 passed, 0 failed\n")
    assert main(["--root", str(tmp_path), "--module", "soko_nothing"]) == 2
    assert "no module soko_nothing" in capsys.readouterr().err
