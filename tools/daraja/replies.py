"""What a request's handler gives back to the server."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass
class Reply:
    """One answer.

    :ivar body: an object (sent as JSON), a text or bytes
    :ivar reset: reset the connection instead of answering
    :ivar then: called when the answer is on its way
    :ivar cut: reset the connection after the ``headers`` or in the middle of the ``body``
    :ivar drip: seconds between two bytes of the answer
    :ivar headers: further headers
    :ivar download: the name of the file that a browser keeps the body in
    """

    status: int = 200
    body: object = ""
    content_type: str = "application/json"
    reset: bool = False
    then: Callable | None = None
    cut: str = ""
    drip: float = 0.0
    headers: dict = dataclasses.field(default_factory=dict)
    download: str = ""


class Refused(Exception):
    """A request that ends with Daraja's error envelope."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(field):
    """Return the refusal of a field."""
    return Refused(400, "400.002.02", f"Bad Request - Invalid {field}")
