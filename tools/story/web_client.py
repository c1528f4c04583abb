"""Odoo as its web client sees it: a session, and calls on models with that user's rights."""

import re

import requests


class OfficeError(Exception):
    """Odoo refused a call; the text is the one the user would read."""


class WebClient:
    """One logged-in person.

    :param str url: the address of Odoo, without a trailing slash
    :param str login: the user's login
    :param str password: the user's password
    """

    TIMEOUT = 120  # seconds; the first call after a start builds asset bundles

    def __init__(self, url, login, password):
        self.url = url
        self.login = login
        self._http = requests.Session()
        self._log_in(password)
        session = self._rpc("/web/session/get_session_info", {})
        self.uid = session["uid"]
        self._context = session["user_context"]  # language and time zone, as the web client sends

    def _log_in(self, password):
        """Fill in the login form, as a person does."""
        form = self._http.get(f"{self.url}/web/login", timeout=self.TIMEOUT)
        token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        if not token:
            raise OfficeError(f"{self.url}/web/login shows no login form ({form.status_code})")
        fields = {"csrf_token": token[1], "login": self.login, "password": password}
        answer = self._http.post(f"{self.url}/web/login", data=fields, timeout=self.TIMEOUT)
        if "/web/login" in answer.url:
            raise OfficeError(f"{self.login} could not log in")

    def _rpc(self, path, params):
        body = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = self._http.post(self.url + path, json=body, timeout=self.TIMEOUT).json()
        if "error" in answer:
            data = answer["error"].get("data") or {}
            raise OfficeError(f"{path}: {data.get('message') or answer['error']['message']}")
        return answer.get("result")

    def call(self, model, method, *args, **kwargs):
        """Call ``method`` of ``model`` with this user's rights; raises OfficeError in words."""
        kwargs["context"] = {**self._context, **kwargs.get("context", {})}
        try:
            return self._rpc(
                f"/web/dataset/call_kw/{model}/{method}",
                {"model": model, "method": method, "args": list(args), "kwargs": kwargs},
            )
        except OfficeError as error:
            raise OfficeError(f"{self.login}, {model}.{method}: {error}") from error

    def create(self, model, **values):
        """Create one record and return its id."""
        return self.call(model, "create", [values])[0]

    def find(self, model, domain, fields, **options):
        """Return the matching records as dictionaries."""
        return self.call(model, "search_read", domain, fields, **options)

    def one(self, model, domain, fields):
        """Return exactly one matching record."""
        found = self.find(model, domain, fields, limit=2)
        if len(found) != 1:
            raise OfficeError(f"{model}: one record wanted for {domain}, {len(found)} found")
        return found[0]

    def read(self, model, record_id, fields):
        """Return one record by its id."""
        return self.call(model, "read", [record_id], fields)[0]

    def download(self, path):
        """Return the bytes behind a path, with this user's rights."""
        answer = self._http.get(self.url + path, timeout=self.TIMEOUT)
        answer.raise_for_status()
        return answer.content
