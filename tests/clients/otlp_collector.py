"""A collector of traces that reads them with OpenTelemetry's own messages (opentelemetry-proto).

    otlp_collector.py

Each line on standard input is answered with a line of JSON:
    port            where it listens
    answer STATUS   what each post is answered from now on
    hang            posts are read and never answered from now on
    spans           every span so far: as JSON by protobuf, with the attributes of its resource under "resource"
    posts           how many posts came so far
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

STATE = {"status": 200, "hang": False, "posts": 0}
SPANS = []


def attributes(found):
    return {one["key"]: next(iter(one["value"].values())) for one in found}


class Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        STATE["posts"] += 1
        if STATE["hang"]:
            threading.Event().wait()
        told = self.path, self.headers["content-type"]
        assert told == ("/v1/traces", "application/x-protobuf"), told
        if STATE["status"] == 200:
            self.take(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(STATE["status"])
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def take(self, request):
        for resource in MessageToDict(request)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    span["attributes"] = attributes(span.get("attributes", []))
                    span["resource"] = attributes(resource["resource"]["attributes"])
                    SPANS.append(span)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "port":
            answer = server.server_address[1]
        elif word == "spans":
            answer = SPANS
        elif word == "posts":
            answer = STATE["posts"]
        else:
            STATE.update({"hang": True} if word == "hang" else {"status": int(rest)})
            answer = True
        print(json.dumps(answer), flush=True)


main()
