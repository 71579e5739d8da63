"""What can be scraped of a running settler; each has a registry of its own."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from threading import Thread
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from earnest.chain.life import Phase
from earnest.settler.errors import SettlerError

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from earnest.chain.follow import Sight


class Metrics:
    """Counters and gauges, all named `earnest_settler_…`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._served: tuple[WSGIServer, Thread] | None = None

        def gauge(name: str, text: str, labels: Iterable[str] = ()) -> Gauge:
            return Gauge(f"earnest_settler_{name}", text, labels, registry=self.registry)

        def counter(name: str, text: str, labels: Iterable[str] = ()) -> Counter:
            return Counter(f"earnest_settler_{name}", text, labels, registry=self.registry)

        self.block = gauge("block", "Newest block read.")
        self.block_time = gauge("block_time_seconds", "Unix time of the newest block read.")
        self.looked_at = gauge("looked_at_seconds", "Unix time of the last look that went well.")
        self.campaigns = gauge("campaigns", "Campaigns by phase.", ["phase"])
        self.unknown = gauge("campaigns_unchecked", "Campaigns in Settling whose right scores are not known.")
        self.false = gauge("false_batches", "Batches posted with wrong scores that can be refereed.")
        self.unaffordable = gauge("campaigns_unaffordable", "Campaigns to post whose bond cannot be paid.")
        self.pending = gauge("pending", "1 while a transaction is sent and not mined.")
        self.actions = counter("actions", "Actions by step and how they ended.", ["step", "result"])
        self.gas = counter("gas", "Gas used, by what failed, too.")
        self.reorganisations = counter("reorganisations", "Reorganisations that were come upon.")
        self.errors = counter("errors", "Looks that failed.")

    def saw(self, sight: Sight, now: int) -> None:
        """Take down what a look at the chain showed."""
        self.block.set(sight.block)
        self.block_time.set(sight.time)
        phases = Tally(each.life_at(now).phase for each in sight.state.campaigns.values())
        for phase in Phase:
            if phase is not Phase.NONE:
                self.campaigns.labels(phase=phase.title).set(phases[phase])

    def serve(self, port: int, address: str = "127.0.0.1") -> int:
        """Answer scrapes until `close`; the port, which is a free one for 0. Raises SettlerError."""
        try:
            server, thread = start_http_server(port, addr=address, registry=self.registry)
        except OSError as error:
            reason = f"Metrics cannot be served at {address}:{port}: {error.strerror}."
            raise SettlerError(reason) from error
        self._served = (server, thread)
        return int(server.server_port)

    def close(self) -> None:
        """Answer no more."""
        if self._served is not None:
            server, thread = self._served
            server.shutdown()
            server.server_close()
            thread.join()
            self._served = None
