"""A receiver of shared signals that is not ours: the CAEP interoperability profile, read anew, over PyJWT.

    python ssf_receiver.py ISSUER CLIENT_ID CLIENT_SECRET

Finds the transmitter, gets a token, and answers each line of its input with a line of JSON:

    poll      sets a stream up that is polled
    push      sets one up that is pushed, to a server of its own
    verify    asks for a verification event and waits for it
    wait N    takes signals until it has N, acknowledges them, and says what they are
    remove    removes the stream
"""

import json
import queue
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from jwt.algorithms import RSAAlgorithm

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
AUTHORIZATION = "Bearer the receiver's own"
CREDENTIAL_TYPES = {"password", "pin", "x509", "fido2-platform", "fido2-roaming", "fido-u2f", "app"}


def call(url, body=None, method=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"} | (headers or {})
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=40) as answer:
        text = answer.read()
        return answer.status, json.loads(text) if text else None


class Receiver:
    def __init__(self, issuer, client_id, client_secret):
        _, self.config = call(f"{issuer}/.well-known/ssf-configuration")
        assert self.config["issuer"] == issuer and self.config["spec_version"] == "1_0", self.config
        assert {"spec_urn": "urn:ietf:rfc:6749"} in self.config["authorization_schemes"], self.config
        methods = set(self.config["delivery_methods_supported"])
        assert methods == {"urn:ietf:rfc:8935", "urn:ietf:rfc:8936"}, self.config
        _, server = call(f"{issuer}/.well-known/oauth-authorization-server")
        basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
        form = urllib.request.Request(
            server["token_endpoint"],
            data=b"grant_type=client_credentials&scope=ssf.manage%20ssf.read",
            headers={"Authorization": f"Basic {basic}"},
        )
        with urllib.request.urlopen(form) as answer:
            token = json.load(answer)
        assert token["expires_in"] <= 3600, "tokens of at most an hour"
        self.auth = {"Authorization": f"Bearer {token['access_token']}"}
        self.client_id, self.stream, self.pushed, self.seen = client_id, None, queue.Queue(), {}

    def create(self, delivery):
        body = {"delivery": delivery, "description": "a receiver of another maker"}
        status, self.stream = call(self.config["configuration_endpoint"], body, headers=self.auth)
        assert status == 201 and self.stream["iss"] == self.config["issuer"], self.stream
        assert set(self.stream["events_delivered"]) <= set(self.stream["events_supported"]), self.stream
        assert "authorization_header" not in self.stream["delivery"], "a secret is shown"
        which = f"?stream_id={self.stream['stream_id']}"
        _, read = call(self.config["configuration_endpoint"] + which, headers=self.auth)
        assert read == self.stream, (read, self.stream)
        _, status = call(self.config["status_endpoint"] + which, headers=self.auth)
        assert status == {"stream_id": self.stream["stream_id"], "status": "enabled"}, status
        return {"stream_id": self.stream["stream_id"]}

    def push(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                good = self.headers["Content-Type"] == "application/secevent+jwt"
                good = good and self.headers["Authorization"] == AUTHORIZATION
                receiver.pushed.put(body if good else f"bad headers: {self.headers}")
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/events"
        return self.create(
            {"method": "urn:ietf:rfc:8935", "endpoint_url": url, "authorization_header": AUTHORIZATION}
        )

    def next(self, ack):
        """Tokens, none twice."""
        if self.stream["delivery"]["method"] == "urn:ietf:rfc:8935":
            return {"": self.pushed.get(timeout=30)}
        _, answer = call(self.stream["delivery"]["endpoint_url"], {"maxEvents": 10, "ack": ack}, headers=self.auth)
        assert isinstance(answer["moreAvailable"], bool)
        return answer["sets"]

    def wait(self, count):
        claims, tokens, ack = [], [], []
        while len(claims) < count:
            for jti, token in self.next(ack).items():
                read = self.verified(token)
                assert jti in ("", read["jti"]), "named by its jti"
                ack.append(read["jti"])
                if read["jti"] not in self.seen:
                    self.seen[read["jti"]] = token
                    claims.append(read)
                    tokens.append(token)
        if self.stream["delivery"]["method"] == "urn:ietf:rfc:8936":
            call(self.stream["delivery"]["endpoint_url"], {"maxEvents": 0, "ack": ack}, headers=self.auth)
            _, left = call(self.stream["delivery"]["endpoint_url"], {"returnImmediately": True}, headers=self.auth)
            assert not set(left["sets"]) & set(ack), "taken is taken"
        return {"claims": claims, "tokens": tokens}

    def verified(self, token):
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "secevent+jwt" and header["alg"] == "RS256", header
        _, keys = call(self.config["jwks_uri"])
        key = next(key for key in keys["keys"] if key["kid"] == header["kid"])
        assert key["kty"] == "RSA" and key["alg"] == "RS256", key
        public = RSAAlgorithm.from_jwk(json.dumps(key))
        assert public.key_size >= 2048, public.key_size
        claims = jwt.decode(
            token, public, algorithms=["RS256"], issuer=self.config["issuer"], audience=self.client_id
        )
        assert "sub" not in claims and "exp" not in claims, claims
        assert all(isinstance(claims[name], str) for name in ("jti", "txn")), claims
        assert abs(claims["iat"] - time.time()) < 60, claims
        assert len(claims["events"]) == 1, "one event in a token"
        (kind, event), subject = next(iter(claims["events"].items())), claims["sub_id"]
        user = subject["user"] if subject["format"] == "complex" else subject
        if kind == VERIFICATION:
            assert subject == {"format": "opaque", "id": self.stream["stream_id"]}, subject
        else:
            assert user["format"] == "iss_sub" and user["iss"] == self.config["issuer"], subject
            assert abs(claims["toe"] - time.time()) < 60, claims
        if kind.startswith(CAEP):
            assert isinstance(event["event_timestamp"], int), event
            assert event["initiating_entity"] in ("admin", "user", "policy", "system"), event
            assert event["reason_admin"]["en"], event
        if kind == CAEP + "session-revoked":
            assert subject["session"]["format"] == "opaque" and subject["session"]["id"], subject
        if kind == CAEP + "credential-change":
            assert event["credential_type"] in CREDENTIAL_TYPES, event
            assert event["change_type"] in ("create", "revoke", "update", "delete"), event
        if kind == CAEP + "token-claims-change":
            assert event["claims"], event
        return claims

    def verify(self):
        body = {"stream_id": self.stream["stream_id"], "state": "a state of ours"}
        status, _ = call(self.config["verification_endpoint"], body, headers=self.auth)
        assert status == 204, status
        said = self.wait(1)["claims"][0]
        assert said["events"] == {VERIFICATION: {"state": "a state of ours"}}, said
        try:
            call(self.config["verification_endpoint"], body, headers=self.auth)
            raise AssertionError("more often than min_verification_interval")
        except urllib.error.HTTPError as error:
            assert error.code == 429 and int(error.headers["Retry-After"]) <= 60, error
        return {"verified": True}

    def remove(self):
        which = f"?stream_id={self.stream['stream_id']}"
        status, _ = call(self.config["configuration_endpoint"] + which, method="DELETE", headers=self.auth)
        return {"status": status}


def main():
    receiver = Receiver(*sys.argv[1:])
    for line in sys.stdin:
        word, *more = line.split()
        if word == "poll":
            answer = receiver.create({"method": "urn:ietf:rfc:8936"})
        elif word == "wait":
            answer = receiver.wait(int(more[0]))
        else:
            answer = {"push": receiver.push, "verify": receiver.verify, "remove": receiver.remove}[word]()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
