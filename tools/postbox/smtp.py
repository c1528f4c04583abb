"""A mail server that accepts everything and delivers nothing (RFC 5321, 1870, 6152)."""

import asyncio
import logging
import re
import threading

SIZE_LIMIT = 20 << 20
COMMAND_LIMIT = 2048
RECIPIENTS_LIMIT = 1000
IDLE_SECONDS = 300
ADDRESS = re.compile(r"<([^<>\s]*)>((?:\s+\S+)*)\s*")
_logger = logging.getLogger(__name__)


class Gone(Exception):
    """The client left or may not go on."""


def parse_path(argument, prefix):
    """Return (address, parameters) of ``FROM:<a@b> SIZE=1`` or ``TO:<a@b>``, or ``None``."""
    if argument[:len(prefix)].upper() != prefix:
        return None
    found = ADDRESS.fullmatch(argument[len(prefix):].lstrip())
    if not found:
        return None
    parameters = dict(word.upper().partition("=")[::2] for word in found[2].split())
    return found[1], parameters


class Session:
    """One client's conversation."""

    def __init__(self, store, reader, writer):
        self.store, self.reader, self.writer = store, reader, writer
        self.greeted = False
        self.forget()

    def forget(self):
        """Drop the letter that was begun."""
        self.sender = None
        self.recipients = []

    async def reply(self, *lines):
        """Send a reply of one or more lines, ``250 text``."""
        for line in lines[:-1]:
            self.writer.write(f"{line[:3]}-{line[4:]}\r\n".encode())
        self.writer.write(f"{lines[-1]}\r\n".encode())
        await self.writer.drain()

    async def line(self, separator=b"\r\n"):
        """Return the next line with its end."""
        try:
            return await asyncio.wait_for(self.reader.readuntil(separator), IDLE_SECONDS)
        except (asyncio.IncompleteReadError, ConnectionError) as failure:
            raise Gone from failure
        except asyncio.LimitOverrunError as failure:
            await self.reply("500 Line too long")
            raise Gone from failure
        except asyncio.TimeoutError as failure:
            await self.reply("421 Timeout, closing the connection")
            raise Gone from failure

    async def run(self):
        """Talk until the client quits."""
        await self.reply("220 postbox ESMTP")
        while True:
            words = (await self.line(b"\n")).decode("utf-8", "replace").strip()
            if len(words) > COMMAND_LIMIT:
                await self.reply("500 Line too long")
                continue
            verb, _space, argument = words.partition(" ")
            handler = getattr(self, "on_" + verb.lower(), None) if verb.isalpha() else None
            if handler is None:
                await self.reply("500 Command not recognised")
            else:
                await handler(argument.strip())

    async def on_ehlo(self, argument):
        """Tell what this server can do."""
        if not argument:
            await self.reply("501 Give your domain")
            return
        self.greeted = True
        self.forget()
        await self.reply("250 postbox", f"250 SIZE {SIZE_LIMIT}", "250 8BITMIME",
                         "250 PIPELINING")

    async def on_helo(self, argument):
        """Greet an old client."""
        if not argument:
            await self.reply("501 Give your domain")
            return
        self.greeted = True
        self.forget()
        await self.reply("250 postbox")

    async def on_mail(self, argument):
        """Begin a letter; an empty sender is a bounce."""
        path = parse_path(argument, "FROM:")
        if not self.greeted or self.sender is not None:
            await self.reply("503 Bad sequence of commands")
        elif path is None:
            await self.reply("501 Syntax: MAIL FROM:<address>")
        elif set(path[1]) - {"SIZE", "BODY"}:
            await self.reply("555 Parameter not recognised")
        elif path[1].get("BODY", "7BIT") not in ("7BIT", "8BITMIME"):
            await self.reply("501 BODY is 7BIT or 8BITMIME")
        elif not path[1].get("SIZE", "0").isdigit():
            await self.reply("501 SIZE is a number")
        elif int(path[1].get("SIZE", "0")) > SIZE_LIMIT:
            await self.reply("552 Message exceeds the size limit")
        else:
            self.sender = path[0]
            await self.reply("250 OK")

    async def on_rcpt(self, argument):
        """Add a recipient."""
        path = parse_path(argument, "TO:")
        if self.sender is None:
            await self.reply("503 Bad sequence of commands")
        elif path is None or not path[0]:
            await self.reply("501 Syntax: RCPT TO:<address>")
        elif path[1]:
            await self.reply("555 Parameter not recognised")
        elif len(self.recipients) >= RECIPIENTS_LIMIT:
            await self.reply("452 Too many recipients")
        else:
            self.recipients.append(path[0])
            await self.reply("250 OK")

    async def on_data(self, argument):
        """Receive the letter itself."""
        if argument:
            await self.reply("501 DATA takes no argument")
        elif not self.recipients:
            await self.reply("503 Bad sequence of commands")
        else:
            await self.reply("354 End data with <CR><LF>.<CR><LF>")
            content = await self.content()
            if content is None:
                await self.reply("552 Message exceeds the size limit")
            else:
                loop = asyncio.get_running_loop()
                number = await loop.run_in_executor(
                    None, self.store.add_mail, self.sender, self.recipients, content)
                await self.reply(f"250 OK, kept as {number}")
            self.forget()

    async def content(self):
        """Return the lines up to the lone dot, with doubled dots undone; ``None``: too long.

        Only CRLF ends a line here, so that nobody can smuggle a second letter in.
        """
        lines, size = [], 0
        while (line := await self.line()) != b".\r\n":
            line = line[1:] if line.startswith(b".") else line
            size += len(line)
            if size <= SIZE_LIMIT:
                lines.append(line)
        return None if size > SIZE_LIMIT else b"".join(lines)

    async def on_rset(self, argument):
        """Drop the letter that was begun."""
        if argument:
            await self.reply("501 RSET takes no argument")
            return
        self.forget()
        await self.reply("250 OK")

    async def on_noop(self, _argument):
        """Do nothing."""
        await self.reply("250 OK")

    async def on_vrfy(self, _argument):
        """Say neither yes nor no."""
        await self.reply("252 Cannot verify, but will take messages")

    async def on_quit(self, _argument):
        """Say good-bye."""
        await self.reply("221 Bye")
        raise Gone


class SmtpServer:
    """The server on an event loop and a thread of its own."""

    def __init__(self, host, port, store):
        self.store = store
        self.loop = asyncio.new_event_loop()
        started = self.loop.run_until_complete(
            asyncio.start_server(self.serve, host, port, limit=SIZE_LIMIT))
        self.port = started.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    async def serve(self, reader, writer):
        """Talk with one client."""
        try:
            await Session(self.store, reader, writer).run()
        except (Gone, ConnectionError):
            _logger.debug("A mail client left")
        finally:
            writer.close()

    def stop(self):
        """Stop serving."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
