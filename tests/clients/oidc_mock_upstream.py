"""An OpenID provider that is not ours: PyPI oidc-provider-mock on a free port of the loopback.

    python oidc_mock_upstream.py

Prints its issuer and serves until the standard input ends. Whoever is typed into its page signs in; `mira` has a name
and a proven address. It asks clients for a nonce.
"""

import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from oidc_provider_mock import User, run_server_in_thread  # noqa: E402

mira = User(sub="mira", claims={"email": "mira@example.org", "email_verified": True, "name": "Mira"})
with run_server_in_thread(require_nonce=True, user_claims=[mira]) as server:
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
