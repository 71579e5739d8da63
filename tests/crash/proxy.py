"""Stands between a labeler and the node, and lets one transaction meet a mishap."""

from __future__ import annotations

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from stage import devnet_account, rpc


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
            elif kind == "dropped":
                answer = forward(url, body)
                rpc(url, "anvil_dropTransaction", json.loads(answer)["result"])
                self.reply(answer)
            else:
                self.reply(json.dumps(answer_of(call, replaced(url, account, call["params"][0]))).encode())
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


def answer_of(call: dict[str, Any], result: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def replaced(url: str, index: int, raw: str) -> str:
    """Send something else of the same wallet with the same nonce, and answer as if it were what was sent."""
    from eth_account import Account
    from eth_utils.crypto import keccak

    account = devnet_account(index)
    nonce = int(rpc(url, "eth_getTransactionCount", account.address, "latest"), 16)
    other = {
        "to": account.address,
        "value": 1,
        "nonce": nonce,
        "gas": 21_000,
        "gasPrice": int(rpc(url, "eth_gasPrice"), 16) * 2,
        "chainId": int(rpc(url, "eth_chainId"), 16),
    }
    signed = Account.sign_transaction(other, account.private_key)
    rpc(url, "eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    return "0x" + keccak(bytes.fromhex(raw.removeprefix("0x"))).hex()
