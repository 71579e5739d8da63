"""Stands between a labeler and the node, and lets one transaction meet a mishap."""

from __future__ import annotations

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils.crypto import keccak
from processes import devnet_account, rpc


def serve(kind: str, url: str, port: int, account: int, met: Path) -> None:
    """Serve until killed; `met` is written once the mishap has come about.

    `account` is whose wallet sends something else where a transaction is replaced.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            call = json.loads(body)
            if not isinstance(call, dict) or call["method"] != "eth_sendRawTransaction":
                self.reply(forward(url, body))
                return
            if kind == "lost reply":
                forward(url, body)
                self.close_connection = True  # the node has it; who sent it hears nothing
            else:
                if kind == "replaced":
                    send_another(url, account)
                self.reply(accepted(call))  # as if the node had it
            met.touch()

        def reply(self, answer: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            pass

    HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def forward(url: str, body: bytes) -> bytes:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def accepted(call: dict[str, Any]) -> bytes:
    """What a node answers that takes a transaction: its hash."""
    hashed = "0x" + keccak(bytes.fromhex(call["params"][0].removeprefix("0x"))).hex()
    return json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": hashed}).encode()


def send_another(url: str, index: int) -> None:
    """Send something else of the same wallet with the nonce that is next."""
    account = devnet_account(index)
    other = {
        "to": account.address,
        "value": 1,
        "nonce": int(rpc(url, "eth_getTransactionCount", account.address, "latest"), 16),
        "gas": 21_000,
        "gasPrice": int(rpc(url, "eth_gasPrice"), 16) * 2,
        "chainId": int(rpc(url, "eth_chainId"), 16),
    }
    signed = Account.sign_transaction(other, account.private_key)
    rpc(url, "eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
