"""A crowd for the tests of the experimenter's commands: `python labelers.py URL CONTRACT CAMPAIGN FOLDER`.

Reads `crowd.json` (a list of mnemonic indexes, and the answer to each task by id), takes one seat for each,
commits and reveals, each when the chain says so.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import ape
from ape_test.accounts import TestAccount
from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH

from earnest.chain.client import Client
from earnest.chain.life import Phase
from earnest.chain.messages import Opening
from earnest.cli.connection import network_of
from earnest.manifest.fetch import fetch
from earnest.protocol import draw

MNEMONIC = "test test test test test test test test test test test junk"


def account(index: int) -> TestAccount:
    Account.enable_unaudited_hdwallet_features()
    key = Account.from_mnemonic(MNEMONIC, account_path=ETHEREUM_DEFAULT_PATH[:-1] + str(index))
    return TestAccount(index=index, address_str=key.address, private_key=key.key.hex())


def wait(client: Client, campaign: int, phase: Phase) -> None:
    while client.life(campaign).phase < phase:
        time.sleep(0.3)


def main(url: str, contract: str, number: str, folder: str) -> None:
    campaign = int(number, 16)
    crowd = json.loads((Path(folder) / "crowd.json").read_text())
    people = [account(index) for index in crowd["labelers"]]
    with network_of(url):
        client = Client.at(contract)
        terms = client.terms(campaign)
        created = client.state().campaigns[campaign]
        manifest = fetch(created.uri, terms.manifest)
        seats = {}
        for person in people:
            client.deposit(terms.token, terms.stake, sender=person)
            seats[person.address] = client.life(campaign).taken
            client.enroll(campaign, 1, sender=person)
        wait(client, campaign, Phase.COMMITTING)
        life, seed = client.life(campaign), client.draw_of(campaign).seed
        openings = {}
        for person in people:
            seat = seats[person.address]
            if seat >= life.seats:
                continue
            batch = draw.batch_of(seed, life.taken, life.cohort, seat)
            lane = draw.cohort_of(seed, life.taken, life.cohort, batch).index(seat)
            tasks = [manifest.tasks[task].id for task in manifest.positions(batch, lane)]
            labels = bytes(manifest.question.label(crowd["answers"][task]) for task in tasks)
            salt = client.salt(campaign, seat, signer=person)
            openings[person] = Opening(seat=seat, labels=labels, salt=salt)
            client.commit(campaign, seat, client.commitment(campaign, openings[person]), sender=person)
        wait(client, campaign, Phase.REVEALING)
        client.reveal_many(campaign, list(openings.values()), sender=people[0])


if __name__ == "__main__":
    ape.logging.logger.set_level("ERROR")
    main(*sys.argv[1:])
