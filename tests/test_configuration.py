"""What operators are given stays safe by default: odoo.conf, compose, the proxy."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
# One test more where docker-compose 2 is on the path; the others read the file themselves.
COMPOSE = shutil.which("docker-compose") or os.environ.get("DOCKER_COMPOSE")
PINNED = re.compile(r"(odoo:19\.0-\d{8}|postgres:17\.\d+-\w+|nginx:\d+\.\d+\.\d+-\w+)")


@pytest.fixture(scope="module")
def conf():
    parser = configparser.RawConfigParser(strict=True)
    parser.read_string((ROOT / "odoo.conf").read_text(encoding="utf-8"))
    return parser["options"]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def nginx():
    return (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")


def test_one_named_database_and_no_manager(conf):
    assert conf.getboolean("list_db") is False
    assert conf["admin_passwd"] == "", "an empty master password is the only one nobody can guess"
    assert re.fullmatch(conf["dbfilter"], conf["db_name"])
    assert not re.fullmatch(conf["dbfilter"], conf["db_name"] + "_copy")
    assert conf.getboolean("with_demo") is False


def test_only_the_proxy_is_heard(conf):
    assert conf["http_interface"] == "127.0.0.1"
    assert conf.getboolean("proxy_mode") is True


def test_cron_jobs_run_and_have_time(conf):
    assert int(conf["max_cron_threads"]) >= 1, "without a cron thread nobody is paid"
    assert int(conf["limit_time_real_cron"]) >= 600
    assert int(conf["limit_time_real"]) > 0


def test_search_ignores_accents(conf):
    assert conf.getboolean("unaccent") is True


def test_no_password_is_written_down(conf):
    assert not {"db_password", "smtp_password"} & set(conf)


def test_paths_with_tokens_stay_out_of_the_log(conf):
    assert "werkzeug:WARNING" in conf["log_handler"].split(",")


def test_every_option_is_explained():
    """A comment stands above each option, or above the block (no empty line) it is part of."""
    explained = False
    for line in (ROOT / "odoo.conf").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("["):
            explained = False
        elif line.startswith(";"):
            explained = True
        else:
            assert explained, f"odoo.conf does not say why: {line}"


def test_odoo_knows_every_option(conf):
    from odoo.tools.config import configmanager

    known = set(configmanager().options_index)
    assert set(conf) <= known


def test_images_are_pinned(compose):
    for name, service in compose["services"].items():
        assert PINNED.fullmatch(service["image"]), f"{name}: pin {service['image']}"
    assert compose["services"]["web"]["image"] == compose["services"]["cron"]["image"]


def test_every_service_is_watched_and_limited(compose):
    for name, service in compose["services"].items():
        check = service["healthcheck"]
        assert check["test"][0] == "CMD" and check["interval"] and check["timeout"], name
        assert service["restart"] == "unless-stopped", name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name


def test_odoo_waits_for_a_healthy_database(compose):
    for name in ("web", "cron"):
        depends = compose["services"][name]["depends_on"]
        assert depends == {"db": {"condition": "service_healthy"}}


def test_all_state_is_in_named_volumes(compose):
    services = compose["services"]
    mounts = {v.split(":")[1]: v.split(":")[0] for s in services.values() for v in s["volumes"]}
    assert mounts["/var/lib/postgresql/data"] in compose["volumes"]
    assert mounts["/var/lib/odoo"] in compose["volumes"]
    assert set(compose["volumes"]) == {mounts["/var/lib/postgresql/data"], mounts["/var/lib/odoo"]}


def test_secrets_are_files_outside_the_repository(compose):
    for name, secret in compose["secrets"].items():
        assert secret["file"].startswith("./deploy/secrets/"), name
    ignore = (ROOT / "deploy" / "secrets" / ".gitignore").read_text(encoding="utf-8").split()
    assert ignore == ["*", "!.gitignore"]
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(POSTGRES_)?PASSWORD:", text, re.M)
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])


def test_the_key_of_the_payouts_is_a_secret(compose):
    for name in ("web", "cron"):
        service = compose["services"][name]
        assert service["environment"]["SOKO_MPESA_KEY_FILE"] == "/run/secrets/soko_mpesa_key"
        assert "soko_mpesa_key" in service["secrets"]
    assert "soko_mpesa_key" not in compose["services"]["db"]["secrets"]


def test_cron_jobs_have_a_process_of_their_own(compose):
    web, cron = compose["services"]["web"], compose["services"]["cron"]
    assert "--max-cron-threads=0" in web["command"]
    assert {"--max-cron-threads=2", "--workers=0"} <= set(cron["command"])
    assert "ports" not in cron


def test_only_the_proxy_is_published_to_the_world(compose):
    for name, service in compose["services"].items():
        public = [p for p in service.get("ports", []) if not p.startswith("127.0.0.1:")]
        assert public == (["80:80", "443:443"] if name == "proxy" else []), name
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["db"]["networks"] == ["inside"]


def test_the_database_is_durable(compose):
    command = compose["services"]["db"]["command"]
    assert {"fsync=on", "synchronous_commit=on", "full_page_writes=on"} <= set(command)


def test_containers_use_our_files(compose, conf):
    web = compose["services"]["web"]
    for volume in web["volumes"]:
        source = volume.split(":")[0]
        assert not source.startswith(".") or (ROOT / source).exists(), source
    assert "./odoo.conf:/etc/odoo/odoo.conf:ro" in web["volumes"]
    assert f"./addons:{conf['addons_path']}:ro" in web["volumes"]
    assert "./deploy/nginx.conf:/etc/nginx/nginx.conf:ro" in compose["services"]["proxy"]["volumes"]


def location(text, path):
    """The body of one location block of nginx.conf."""
    match = re.search(rf"location (?:~ |= )?{re.escape(path)}[^{{]*\{{(.*?)\}}", text, re.S)
    assert match, f"no location {path}"
    return match[1]


def test_the_proxy_overwrites_what_odoo_believes(nginx):
    for header in (
        "X-Forwarded-Host $host",
        "X-Forwarded-For $remote_addr",
        "X-Forwarded-Proto $scheme",
    ):
        # once for the server, once for the websocket, whose own list replaces the server's
        assert nginx.count(f"proxy_set_header {header};") == 2
    assert "$proxy_add_x_forwarded_for" not in nginx


def test_the_proxy_guards_the_doors(nginx):
    assert "return 404;" in location(nginx, "^/web/database")
    callbacks = location(nginx, "/soko/daraja/")
    assert "limit_req zone=callbacks" in callbacks
    assert "client_max_body_size 64k" in callbacks
    assert "error_log /dev/stderr crit" in callbacks, "nginx's error log quotes the token"
    assert "http://websocket" in location(nginx, "/websocket")
    assert "$request_uri" not in re.search(r"log_format.*?;", nginx, re.S)[0]


if COMPOSE:

    def test_compose_reads_the_file():
        """docker-compose 2 asks its own schema, without an engine."""
        command = [COMPOSE, "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=["soko-web", "soko-cron"])
def unit(request):
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str
    text = (ROOT / "deploy" / "systemd" / f"{request.param}.service").read_text(encoding="utf-8")
    parser.read_string(text)
    return parser


def test_units_start_again_and_stop_gently(unit):
    service = unit["Service"]
    assert service["Restart"] == "always", "Odoo's master ends itself when PostgreSQL is away"
    assert service["KillMode"] == "mixed", "the default kills a sender in the middle of a call"
    assert service["User"] == "odoo"
    deadline = re.search(r"HTTP_DEADLINE = (\d+)", (
        ROOT / "addons" / "soko_mpesa" / "const.py").read_text(encoding="utf-8"))
    assert int(service["TimeoutStopSec"]) > 2 * int(deadline[1])


def test_units_part_web_and_jobs():
    web, cron = (
        (ROOT / "deploy" / "systemd" / f"soko-{name}.service").read_text(encoding="utf-8")
        for name in ("web", "cron"))
    assert "--max-cron-threads=0" in web
    assert "--max-cron-threads=2" in cron
    assert "--http-interface=127.0.0.1" in cron
    assert "--dev" not in web + cron


if shutil.which("systemd-analyze"):

    def test_systemd_reads_the_units():
        """It knows every key; only the programs of a server are missing here."""
        units = [str(path) for path in (ROOT / "deploy" / "systemd").glob("*.service")]
        command = ["systemd-analyze", "verify", *units]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        mine = [line for line in done.stderr.splitlines() if "soko-" in line]
        assert all("is not executable" in line for line in mine), done.stderr
