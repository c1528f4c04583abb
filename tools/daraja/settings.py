"""What the simulated organisation looks like and how fast the service answers."""

import dataclasses
import pathlib

MINIMUM_B2C = 10
MAXIMUM_B2C = 250_000
MAXIMUM_STK = 250_000
WALLET_LIMIT = 500_000
DAILY_LIMIT = 500_000


@dataclasses.dataclass
class Settings:
    """All that a run of the simulator can be told from outside.

    :ivar state: folder of the ledger, the key and the names
    :ivar seed: makes receipts, names and chances repeatable; ``None`` is random
    :ivar delay: seconds between an accepted request and its callback
    :ivar callback_timeout: seconds that a callback waits for its answer
    :ivar utility: opening balance of the utility account, whole shillings
    :ivar consumer_key: the only consumer key that gets a token; empty accepts any
    :ivar consumer_secret: belongs to ``consumer_key``
    :ivar shortcode: the only shortcode served; empty accepts any
    :ivar initiator_password: when set, every SecurityCredential must decrypt to it
    :ivar passkey: when set, every STK password must contain it
    :ivar token_life: seconds that a token works
    :ivar stk_timeout: seconds that a prompt on a phone waits for the customer
    :ivar lock_after: wrong initiator passwords in a row until the operator is locked
    :ivar register_once: refuse other C2B addresses once some are registered, as in production
    :ivar forget_ids: pay every request, even with an id that was used before: a stricter judge of
        clients than the real service
    :ivar allow_hooks: let tests call programs at moments of the protocol
    """

    state: pathlib.Path
    host: str = "127.0.0.1"
    port: int = 8081
    seed: int | None = None
    delay: float = 1.0
    callback_timeout: float = 10.0
    utility: int = 5_000_000
    consumer_key: str = ""
    consumer_secret: str = ""
    shortcode: str = ""
    initiator_password: str = ""
    passkey: str = ""
    organisation: str = "Soko Mfano"
    token_life: int = 3599
    stk_timeout: float = 60.0
    opening_wallet: int = 20_000
    lock_after: int = 3
    register_once: bool = False
    forget_ids: bool = False
    allow_hooks: bool = False
