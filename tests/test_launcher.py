"""The launcher's own judgement: no process, no database, no network."""

import json
import os
import socket
import stat

import pytest
from soko import (
    apt,
    cli,
    config,
    databases,
    deb,
    odoo_log,
    odoo_source,
    paths,
    postgres,
    python_env,
    services,
    testing,
)
from soko import running as running_module
from soko.ui import Stop

STAMP = "2026-11-21 10:00:00,123 77 "
CLEAN = (
    STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.test_one ...\n"
    + STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.test_two ...\n"
    + STAMP + "INFO db odoo.tests.result: 0 failed, 0 error(s) of 2 tests when loading database\n"
)
FAILING = (
    STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.test_one ...\n"
    + STAMP + "ERROR db odoo.addons.soko_qc.tests.test_plan: FAIL: TestPlan.test_one\n"
    + "Traceback (most recent call last):\nAssertionError: 1 != 2\n"
    + STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.test_two ...\n"
    + STAMP + "ERROR db odoo.tests.result: 1 failed, 0 error(s) of 2 tests when loading database\n"
)


@pytest.fixture
def log(tmp_path):
    """A log file that a judgement may quote from."""
    path = tmp_path / "test.log"
    path.write_text("the end\n")
    return path


@pytest.fixture
def house(tmp_path, monkeypatch):
    """An empty checkout with one add-on that has one test file."""
    tests = tmp_path / "addons" / "soko_qc" / "tests"
    tests.mkdir(parents=True)
    (tests.parent / "__manifest__.py").write_text("{}")
    (tests / "test_plan.py").write_text(
        "class TestPlan:\n    def test_one(self): pass\n    def helper(self): pass\n"
        "    def test_two(self): pass\n"
    )
    monkeypatch.setattr(paths, "ADDONS", tmp_path / "addons")
    monkeypatch.setattr(paths, "STATE", tmp_path / ".soko")
    return tmp_path


class TestLog:
    """Reading Odoo's log."""

    def test_clean_run(self):
        report = odoo_log.read(CLEAN)
        assert report.complete
        assert report.passed == {
            "soko_qc/test_plan:TestPlan.test_one", "soko_qc/test_plan:TestPlan.test_two",
        }
        assert not report.failed
        assert not report.loud

    def test_failure_keeps_its_traceback(self):
        report = odoo_log.read(FAILING)
        assert report.passed == {"soko_qc/test_plan:TestPlan.test_two"}
        trace = report.failed["soko_qc/test_plan:TestPlan.test_one"]
        assert trace.endswith("AssertionError: 1 != 2")
        assert report.loud == [], "a failed test is no second failure of the log check"

    def test_sub_tests_count_as_their_test(self):
        line = STAMP + "ERROR db odoo.addons.soko_qc.tests.test_plan: "
        report = odoo_log.read(
            line + "FAIL: Subtest TestPlan.test_one (piece=1)\nAssertionError: a\n"
            + line + "FAIL: Subtest TestPlan.test_one (piece=2)\nAssertionError: b\n"
        )
        assert list(report.failed) == ["soko_qc/test_plan:TestPlan.test_one"]
        assert "AssertionError: b" in report.failed["soko_qc/test_plan:TestPlan.test_one"]

    def test_failed_class_setup(self):
        line = STAMP + "ERROR db odoo.addons.soko_qc.tests.test_plan: "
        report = odoo_log.read(
            line + "ERROR: setUpClass (odoo.addons.soko_qc.tests.test_plan.TestPlan)\nTrace\n"
        )
        assert list(report.failed) == ["soko_qc/test_plan:TestPlan.setUpClass"]

    def test_skip_with_reason(self):
        report = odoo_log.read(
            STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.test_one ...\n"
            + STAMP + "INFO db odoo.addons.soko_qc.tests.test_plan: "
            "skipped TestPlan.test_one : no browser : really\n"
        )
        assert report.skipped == {"soko_qc/test_plan:TestPlan.test_one": "no browser : really"}
        assert report.passed == set()

    def test_warning_with_its_lines(self):
        report = odoo_log.read(CLEAN + STAMP + "WARNING db odoo.fields: Field x is odd\nmore\n")
        assert report.loud == [STAMP + "WARNING db odoo.fields: Field x is odd\nmore"]

    def test_cause_is_the_last_error(self):
        text = STAMP + "ERROR db odoo: first\n" + STAMP + "CRITICAL db odoo: bad\nValueError: x\n"
        assert odoo_log.cause(text + STAMP + "INFO db odoo: bye\n").endswith("ValueError: x")

    def test_how_long_each_test_took(self):
        start = " INFO db odoo.addons.soko_qc.tests.test_plan: Starting TestPlan.%s ...\n"
        text = (
            "2026-01-05 09:00:00,100 7" + start % "test_one"
            + "2026-01-05 09:01:30,100 7" + start % "test_two"
            + "2026-01-05 09:01:32,100 7 INFO db odoo.tests.result: 0 failed\n"
        )
        assert odoo_log.durations(text) == {
            "soko_qc/test_plan:TestPlan.test_one": 90.0,
            "soko_qc/test_plan:TestPlan.test_two": 2.0,
        }
        assert odoo_log.read(text).last == "soko_qc/test_plan:TestPlan.test_two"
        assert odoo_log.durations("") == {}

    def test_exceptions_need_a_reason(self, tmp_path):
        rules = tmp_path / "rules.txt"
        rules.write_text("# upstream's\nlog: Field \\w+ is odd\n# no reader here\nskip: braille\n")
        patterns = odoo_log.allowed("log", rules)
        assert odoo_log.unexpected(["Field x is odd", "Field"], patterns) == ["Field"]
        rules.write_text("# one reason\nlog: first\nlog: second\n")
        with pytest.raises(ValueError, match="no reason stands above 'log: second'"):
            odoo_log.allowed("log", rules)

    def test_our_own_exceptions_are_reasoned(self):
        assert odoo_log.allowed("log") is not None
        assert odoo_log.allowed("skip") is not None


class TestJudgement:
    """What makes a module's run fail."""

    def test_clean(self, log):
        result = testing.judge("soko_qc", odoo_log.read(CLEAN), 0, log)
        assert (result.passed, result.failed) == (2, 0)

    def test_failure(self, log):
        result = testing.judge("soko_qc", odoo_log.read(FAILING), 1, log)
        assert (result.passed, result.failed) == (1, 1)

    def test_no_test_ran(self, log):
        report = odoo_log.Report(complete=True)
        assert testing.judge("soko_qc", report, 0, log).failed == 1

    def test_ended_early(self, log):
        report = odoo_log.read(CLEAN.rsplit(STAMP, 1)[0])
        result = testing.judge("soko_qc", report, 0, log)
        assert result.failed == 1
        assert "the end" in result.failures[0]

    def test_unexplained_exit_code(self, log):
        assert testing.judge("soko_qc", odoo_log.read(CLEAN), 3, log).failed == 1

    def test_warning_fails(self, log):
        text = CLEAN + STAMP + "WARNING db odoo.fields: Field x is odd\n"
        assert testing.judge("soko_qc", odoo_log.read(text), 0, log).failed == 1

    def test_skip_without_reason_fails(self, log):
        report = odoo_log.read(CLEAN)
        report.skipped["soko_qc/test_plan:TestPlan.test_two"] = "because"
        result = testing.judge("soko_qc", report, 0, log)
        assert (result.passed, result.failed) == (1, 1)

    def test_junit(self):
        from xml.etree import ElementTree

        xml = ElementTree.fromstring(
            "<testsuites><testsuite><testcase classname='a' name='good'/>"
            "<testcase classname='a' name='bad'><failure/><error/></testcase>"
            "<testcase classname='a' name='left'><skipped message='why'/></testcase>"
            "</testsuite></testsuites>"
        )
        result = testing.Result("e2e")
        testing.count(result, xml)
        assert (result.passed, result.failed) == (1, 2)

    def test_closing_line_is_last(self, capsys):
        results = [testing.Result("a", passed=2), testing.Result("b", passed=1, failed=1)]
        assert testing.summarise(results) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 1 failed"

    def test_nothing_chosen_fails(self, capsys):
        assert testing.summarise([]) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed"


class TestChoice:
    """Which tests run."""

    def test_all_tests_of_a_module(self, house):
        assert testing.tests_of("soko_qc") == ["TestPlan.test_one", "TestPlan.test_two"]
        assert testing.tags("soko_qc", None) == "/soko_qc"

    def test_word_chooses(self, house):
        assert testing.tags("soko_qc", "ONE") == "/soko_qc:TestPlan.test_one"
        assert testing.tags("soko_qc", "three") is None

    def test_suites(self, house):
        assert testing.suites([]) == ["checks", "soko_qc", "e2e"]
        assert testing.suites(["soko_qc"]) == ["soko_qc"]
        with pytest.raises(Stop, match="There is no soko_tea"):
            testing.suites(["soko_tea"])


class TestSettings:
    """Ports, odoo.conf and the key."""

    def test_usual_ports_can_be_set(self):
        ports = config.Ports.usual({"SOKO_HTTP_PORT": "8169"})
        assert (ports.http, ports.simulator) == (8169, 8077)

    @pytest.mark.parametrize("value", ["shop", "0", "70000", "-1"])
    def test_bad_port(self, value):
        with pytest.raises(Stop, match="SOKO_SMTP_PORT=.* is no port"):
            config.Ports.usual({"SOKO_SMTP_PORT": value})

    def test_taken_port_is_named(self):
        with socket.socket() as other:
            other.bind((config.HOST, 0))
            other.listen()
            port = other.getsockname()[1]
            ports = config.Ports(port, *config.free_ports(4))
            with pytest.raises(Stop, match=f"Port {port} is taken .* SOKO_HTTP_PORT"):
                ports.check()

    def test_free_ports_differ(self):
        assert len(set(config.free_ports(5))) == 5

    def test_conf_leaves_out_what_is_empty(self):
        text = config.render({"db_host": "/a b/run", "pg_path": "", "http_port": 8069})
        assert text == "[options]\ndb_host = /a b/run\nhttp_port = 8069\n"

    def test_key_is_made_once_and_private(self, tmp_path, monkeypatch):
        key = tmp_path / "mpesa.key"
        monkeypatch.setattr(paths, "MPESA_KEY", key)
        first = config.mpesa_key().read_bytes()
        assert len(first) == 44
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert config.mpesa_key().read_bytes() == first


class TestDatabases:
    """Names, keys and copies."""

    def test_logins_of_a_loader(self):
        printed = 'noise\n{"login": "amina", "password": "x"}\n{"rows": 3}\n[1]\n'
        assert databases.logins_in(printed) == [{"login": "amina", "password": "x"}]

    def test_copy_is_by_links(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "file").write_text("x")
        databases.copy_files(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "a" / "file").samefile(tmp_path / "b" / "file")

    def test_digest_sees_content_and_names(self, house):
        before = paths.digest(paths.ADDONS)
        (paths.ADDONS / "soko_qc" / "__pycache__").mkdir()
        (paths.ADDONS / "soko_qc" / "__pycache__" / "x.pyc").write_bytes(b"1")
        assert paths.digest(paths.ADDONS) == before
        (paths.ADDONS / "soko_qc" / "x.py").write_text("")
        assert paths.digest(paths.ADDONS) != before

    def test_changed_addons(self, house):
        paths.STATE.mkdir()
        assert databases.changed_addons() == ["soko_qc"]
        databases.remember_addons(databases.addons_state())
        assert databases.changed_addons() == []
        (paths.ADDONS / "soko_qc" / "__manifest__.py").write_text("{'name': 'x'}")
        assert databases.changed_addons() == ["soko_qc"]

    @pytest.mark.parametrize("number", ["", "x", "999999999"])
    def test_nobody_lives_there(self, number):
        assert not databases.alive(number)

    def test_we_live(self):
        assert databases.alive(str(os.getpid()))


class TestSources:
    """Finding Odoo, Debian's mirror and a Python."""

    def test_odoo_by_its_release(self, tmp_path):
        (tmp_path / "odoo").mkdir()
        release = tmp_path / "odoo" / "release.py"
        release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
        assert odoo_source.find_in(tmp_path) is None
        release.write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
        assert odoo_source.find_in(tmp_path) == tmp_path

    def test_wrong_name_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SOKO_ODOO", str(tmp_path))
        with pytest.raises(Stop, match="holds no Odoo 19"):
            odoo_source.from_name()

    def test_interrupted_making_leaves_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setattr(odoo_source, "KEPT", tmp_path)
        with pytest.raises(KeyboardInterrupt), odoo_source.InMaking("deb-1") as (part, _target):
            (part / "half").touch()
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []

    def test_mirror_of_this_machine(self):
        line = "'http://mirror.example/debian/dists/stable/InRelease' mirror.example_InRelease 0"
        assert apt.INDEX.search(line).group(1) == "http://mirror.example/debian"
        assert not apt.INDEX.search("'http://mirror.example/ubuntu/dists/noble/InRelease' x 0")

    def test_languages_nobody_asked_for(self, tmp_path):
        for name in ("de.po", "sw.po", "web.pot", "README"):
            (tmp_path / name).touch()
        deb.drop_languages(tmp_path, ["de"])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["README", "de.po"]

    def test_no_python(self, monkeypatch):
        monkeypatch.setenv("SOKO_PYTHON", "/nowhere/python3.9")
        with pytest.raises(Stop, match=r"needs Python 3\.10.*SOKO_PYTHON=/nowhere/python3\.9"):
            python_env.choose()

    def test_space(self, tmp_path):
        with pytest.raises(Stop, match="Too little room for a house"):
            paths.need_space(tmp_path, 10**9, "a house")


class TestCommands:
    """The command line."""

    def test_each_command_says_what_it_does(self):
        text = cli.parser().format_help()
        for word in ("run", "test", "shell", "psql", "doctor", "update", "bench", "story", "reset"):
            assert f"\n    {word} " in text

    def test_unknown_command(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["fly"])
        assert "invalid choice: 'fly'" in capsys.readouterr().err

    def test_story_passes_its_arguments_on(self):
        args = cli.parse(["story", "--lose-callback"])
        assert args.rest == ["--lose-callback"]

    def test_the_simulator_knows_the_demos_payees(self, tmp_path):
        services.name_people(tmp_path)
        register = tmp_path / "people.json"
        people = json.loads(register.read_text())
        assert people["254700000001"] == {"name": "AKINYI MFANO"}
        register.write_text("{}")
        services.name_people(tmp_path)
        assert register.read_text() == "{}"

    def test_logins_as_a_table(self):
        people = json.loads('[{"login": "amina", "password": "p", "role": "an artisan"}]')
        assert running_module.table(people)[1] == "  amina      p         an artisan"


def test_an_existing_postgresql_is_named_by_environment_or_odoo_conf(tmp_path):
    conf = tmp_path / "odoo.conf"
    conf.write_text("[options]\nlog_format = %(asctime)s\ndb_name = soko\n; db_host = commented\n")
    assert postgres.foreign_options({}, conf) is None
    lines = ["db_host = db.example", "db_port = 5433", "db_user = me", "db_password = s"]
    conf.write_text("\n".join(["[options]", *lines]))
    written = {"host": "db.example", "port": 5433, "user": "me", "password": "s"}
    assert postgres.foreign_options({}, conf) == written
    named = {"SOKO_DB_HOST": "other.example", "PGPASSWORD": "t"}
    assert postgres.foreign_options(named, conf) == {
        "host": "other.example", "port": 5433, "user": "me", "password": "t",
    }


def test_the_odoo_conf_of_the_repository_names_no_server():
    assert postgres.foreign_options({}) is None
