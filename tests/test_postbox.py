"""The postbox, tried over HTTP and SMTP by the standard library's own clients."""

import email.message
import json
import pathlib
import re
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

PROGRAM = pathlib.Path(__file__).parent.parent / "tools" / "postbox"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Program:
    """A running postbox."""

    def __init__(self, state):
        self.state = state
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--port", "0", "--smtp-port", "0",
             "--state", str(self.state)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.url = re.search(r"http://127\.0\.0\.1:\d+", line).group()
        self.smtp_port = int(re.search(r"smtp://127\.0\.0\.1:(\d+)", line).group(1))

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process.stdout.close()
        return code

    def call(self, path, body=None, content_type="application/json"):
        data = None if body is None else body if isinstance(body, bytes) else (
            json.dumps(body).encode())
        request = urllib.request.Request(self.url + path, data, {"Content-Type": content_type})
        try:
            with OPENER.open(request, timeout=10) as answer:
                status, content = answer.status, answer.read().decode()
        except urllib.error.HTTPError as failure:
            status, content = failure.code, failure.read().decode()
        return status, json.loads(content) if content[:1] in "[{" else content

    def mailer(self):
        return smtplib.SMTP("127.0.0.1", self.smtp_port, "shop.example", timeout=10)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    running = Program(tmp_path_factory.mktemp("postbox"))
    yield running
    assert running.stop() == 0


@pytest.fixture
def box(program):
    assert program.call("/_reset", {})[0] == 200
    return program


def letter(**headers):
    message = email.message.EmailMessage()
    defaults = {"From": "Shop <shop@example.com>", "To": "buyer@example.com",
                "Subject": "Your cuff – on its way"}
    for name, value in {**defaults, **headers}.items():
        message[name] = value
    message.set_content("See https://shop.example/track/1.\n.\n..two dots\nŚwięto\n")
    message.add_alternative(
        '<p>Tap <a href="https://shop.example/received/abc?x=1&amp;y=2">received</a></p>'
        "<script>alert(1)</script>", subtype="html")
    return message


def test_sms_is_kept_once_per_uuid(box):
    sms = {"to": "+254700000001", "body": "KES 1,200 sent. Receipt ABC", "uuid": "u-1"}
    assert box.call("/sms", sms) == (200, {"uuid": "u-1", "state": "sent"})
    assert box.call("/sms", {**sms, "body": "again"}) == (200, {"uuid": "u-1", "state": "sent"})
    assert box.call("/sms", {**sms, "to": "+254 700 000-002", "uuid": "u-2"})[0] == 200
    found = box.call("/sms.json")[1]
    assert [(m["n"], m["to"], m["body"]) for m in found] == [
        (1, "+254700000001", sms["body"]), (2, "+254700000002", sms["body"])]
    assert len(box.call("/sms.json?to=%2B254700000002")[1]) == 1


@pytest.mark.parametrize("sms, state", [
    ({"to": "0700000001", "body": "x"}, "wrong_number_format"),
    ({"to": None, "body": "x"}, "wrong_number_format"),
    ({"to": "+254700000001", "body": " "}, "server_error"),
    ({"to": "+254700000001", "body": 5}, "server_error"),
    ({"to": "+254700000001", "body": "x" * 1601}, "server_error"),
])
def test_wrong_sms_are_refused(box, sms, state):
    status, answer = box.call("/sms", {**sms, "uuid": "u"})
    assert (status, answer["state"], answer["uuid"]) == (400, state, "u")
    assert box.call("/sms.json")[1] == []


def test_wrong_requests(box):
    assert box.call("/sms", b"{", )[0] == 400
    assert box.call("/sms", [1])[0] == 400
    assert box.call("/sms", {"to": "+254700000001", "body": "x"}, "text/plain")[0] == 415
    assert box.call("/nothing")[0] == 404
    assert box.call("/nothing", {})[0] == 404
    assert box.call("/_health") == (200, {"ok": True, "sms": 0, "mail": 0})


def test_mail_is_read_with_links_and_dots(box):
    with box.mailer() as mailer:
        mailer.ehlo()
        assert mailer.has_extn("8bitmime")
        mailer.send_message(letter(), "bounce@example.com", ["buyer@example.com", "b@example.com"])
    [mail] = box.call("/mail.json")[1]
    assert mail["envelope_from"] == "bounce@example.com"
    assert mail["recipients"] == ["buyer@example.com", "b@example.com"]
    assert mail["subject"] == "Your cuff – on its way"
    assert mail["from"] == "Shop <shop@example.com>"
    assert "\n.\n..two dots\nŚwięto\n" in mail["text"].replace("\r\n", "\n")
    assert mail["links"] == [
        "https://shop.example/received/abc?x=1&y=2", "https://shop.example/track/1"]
    assert box.call("/mail.json?to=nobody@example.com")[1] == []
    assert len(list((box.state / "mail").glob("*.eml"))) == 1


def test_page_shows_and_cages_what_was_sent(box):
    box.call("/sms", {"to": "+254700000001", "body": "<b>x</b> https://shop.example/a", "uuid": ""})
    with box.mailer() as mailer:
        mailer.send_message(letter(Subject="<i>Hello</i>"))
    page = box.call("/")[1]
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert 'href="https://shop.example/a"' in page
    assert "<i>Hello" not in page
    assert "<script>alert(1)" not in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_smtp_sequence_and_refusals(box):
    with box.mailer() as mailer:
        assert mailer.docmd("MAIL FROM:<a@example.com>")[0] == 503
        mailer.ehlo()
        assert int(mailer.esmtp_features["size"]) == 20 << 20
        for command, code in (
            ("RCPT TO:<b@example.com>", 503), ("DATA", 503), ("MAIL a@example.com", 501),
            ("MAIL FROM:<a@example.com> SIZE=99999999999", 552),
            ("MAIL FROM:<a@example.com> SIZE=x", 501), ("MAIL FROM:<a@example.com> RET=1", 555),
            ("MAIL FROM:<a@example.com> BODY=BINARY", 501), ("NOOP", 250), ("VRFY a", 252),
            ("MAIL FROM:<> SIZE=10 BODY=8BITMIME", 250), ("MAIL FROM:<>", 503),
            ("RCPT TO:<>", 501), ("RCPT TO:<b@example.com>", 250), ("RSET", 250), ("DATA", 503),
            ("STARTTLS", 500), ("AUTH PLAIN", 500), ("EHLO", 501), ("XYZ", 500),
        ):
            assert mailer.docmd(command)[0] == code, command
    assert box.call("/mail.json")[1] == []


def test_only_crlf_dot_crlf_ends_a_letter_and_commands_may_come_at_once(box):
    with socket.create_connection(("127.0.0.1", box.smtp_port), timeout=10) as client:
        stream = client.makefile("rwb")
        stream.write(
            b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
            b"Subject: one\r\n\r\nbody\n.\nMAIL FROM:<evil@example.com>\r\n..\r\n.\r\nQUIT\r\n")
        stream.flush()
        answers = [line[:3] for line in stream.read().splitlines()]
    assert answers == [b"220", *[b"250"] * 4, b"250", b"250", b"354", b"250", b"221"]
    [mail] = box.call("/mail.json")[1]
    assert mail["subject"] == "one"
    assert "evil@example.com" in mail["text"]


def test_too_long_letter_is_refused_and_the_next_is_taken(box):
    with box.mailer() as mailer:
        mailer.helo()
        mailer.mail("a@example.com")
        mailer.rcpt("b@example.com")
        assert mailer.data(b"x" * 900 + b"\r\n" + (b"y" * 998 + b"\r\n") * 21_500)[0] == 552
        mailer.send_message(letter())
    assert len(box.call("/mail.json")[1]) == 1


def test_unreadable_letters_do_not_break_the_page(box):
    with box.mailer() as mailer:
        mailer.sendmail("a@example.com", ["b@example.com"],
                        b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe")
        mailer.sendmail("a@example.com", ["b@example.com"], b"")
    assert box.call("/")[0] == 200
    assert len(box.call("/mail.json")[1]) == 2


def test_restart_keeps_messages_and_a_taken_port_is_told(tmp_path):
    first = Program(tmp_path)
    first.call("/sms", {"to": "+254700000001", "body": "x", "uuid": "u-1"})
    with first.mailer() as mailer:
        mailer.send_message(letter())
    before = first.call("/sms.json")[1], first.call("/mail.json")[1]
    assert first.stop(signal.SIGINT) == 0
    first.start()
    assert (first.call("/sms.json")[1], first.call("/mail.json")[1]) == before
    first.call("/sms", {"to": "+254700000001", "body": "x", "uuid": "u-1"})
    assert len(first.call("/sms.json")[1]) == 1
    port = first.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, str(PROGRAM), "--port", port, "--smtp-port", "0",
         "--state", str(tmp_path)], capture_output=True, text=True, timeout=20)
    assert second.returncode == 1
    assert "The postbox cannot start" in second.stderr
    assert first.stop() == 0
