"""A mail server on loopback that keeps every mail: prints its port, and then a line of JSON for each.

Arguments: plain, starttls or tls; a certificate and its key; and, where somebody has to log in, a user, whose password is $PASSWORD.
"""

import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keep:
    async def handle_DATA(self, server, session, envelope):
        login = session.auth_data.login.decode() if session.auth_data else None
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "login": login, "private": how == "tls" or session.ssl is not None}
        print(json.dumps({**mail, "mail": envelope.content.decode()}), flush=True)
        return "250 kept"


def logs_in(server, session, envelope, mechanism, data):
    is_right = [data.login.decode(), data.password.decode()] == [sys.argv[4], os.environ["PASSWORD"]]
    return AuthResult(success=is_right, handled=False, auth_data=data)


how = sys.argv[1]
options = {}
context = None
if how != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
if len(sys.argv) > 4:
    options = {"authenticator": logs_in, "auth_required": True, "auth_require_tls": how == "starttls"}
if how == "starttls":
    options = {**options, "tls_context": context, "require_starttls": True}


async def main():
    loop = asyncio.get_running_loop()
    outer = context if how == "tls" else None
    server = await loop.create_server(lambda: SMTP(Keep(), loop=loop, **options), "127.0.0.1", 0, ssl=outer)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until nobody holds the other end any more.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
