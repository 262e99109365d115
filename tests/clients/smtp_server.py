"""An SMTP server by another maker (aiosmtpd) that answers as it is told, and reads what it takes with Python's email.

    smtp_server.py plain|starttls|smtps [CERTIFICATE KEY]

Each line on standard input is answered with a line of JSON:
    port                    where it listens
    behave {"rcpt": "550 no such user", "data": "451 later", "auth": false, "drop": true, "hang": true, "bare": true}
    mails                   what was taken so far
    connections             how many were made so far
    most                    how many there were at once
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

USER, PASSWORD = b"relay", b"p@ss:w/rd"


class Handler:
    def __init__(self):
        self.behaviour, self.mails, self.connections, self.open, self.most = {}, [], 0, 0, 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        hidden = ("8BITMIME", "SMTPUTF8", "STARTTLS") if self.behaviour.get("bare") else ()
        return [line for line in responses if not line[4:].startswith(hidden or ("-",))]

    async def handle_RCPT(self, server, session, envelope, address, options):
        if "rcpt" in self.behaviour:
            return self.behaviour["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.behaviour.get("hang"):
            await asyncio.sleep(3600)
        if "data" in self.behaviour:
            return self.behaviour["data"]
        self.mails.append(read(envelope, session, server.transport))
        if self.behaviour.get("drop"):
            server.transport.abort()
        return "250 taken"


class Counted(SMTP):
    def connection_made(self, transport):
        self.event_handler.open += 1
        self.event_handler.most = max(self.event_handler.most, self.event_handler.open)
        super().connection_made(transport)

    def connection_lost(self, error):
        self.event_handler.open -= 1
        super().connection_lost(error)


def read(envelope, session, transport):
    raw = envelope.original_content
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    return {
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "names": [address.display_name for address in message["to"].addresses],
        "to": envelope.rcpt_tos,
        "from": envelope.mail_from,
        "parts": parts,
        "defects": [repr(defect) for part in message.walk() for defect in part.defects],
        "ascii": raw.isascii(),
        "longest_line": max(map(len, raw.splitlines())),
        "tls": transport.get_extra_info("sslcontext") is not None,
        "login": session.authenticated,
    }


async def main(mode, *files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    handler = Handler()

    def authenticate(server, session, envelope, mechanism, data):
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        return AuthResult(success=right and handler.behaviour.get("auth", True), handled=False)

    def connection():
        handler.connections += 1
        return Counted(
            handler,
            enable_SMTPUTF8=True,
            tls_context=context if mode == "starttls" else None,
            authenticator=authenticate,
            auth_require_tls=mode == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    port = server.sockets[0].getsockname()[1]
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().strip():
        command, _, rest = line.partition(" ")
        if command == "behave":
            handler.behaviour = json.loads(rest)
        answer = {"port": port, "mails": handler.mails, "connections": handler.connections, "most": handler.most}
        print(json.dumps(answer.get(command, True)), flush=True)


asyncio.run(main(*sys.argv[1:]))
