from dataclasses import replace
from random import Random

import pytest
from eth_utils.crypto import keccak
from kit import TERMS, reverts

from earnest.protocol import audit, reference
from earnest.protocol.audit import AuditRow
from earnest.protocol.labels import label_count
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import pack, unpack
from earnest.protocol.terms import ZERO_ADDRESS, Metric, Weights

KEY = keccak(b"score")
BATCH = 5
ALL = Weights(peers=3, gold=2, repeats=1)
ROW = AuditRow(
    shared=(0, 1, 2, 3, 4, 6, 7, 9),
    gold=((1, 0), (3, 1), (4, 2), (9, 0)),
    repeats=((0, 5), (2, 8), (6, 10), (7, 11)),
)


def people(count):
    """Addresses of so many labelers."""
    return [f"0x{number:040x}" for number in range(0x100, 0x100 + count)]


def random_labels(terms, seats, seed=1):
    random, size = Random(seed), label_count(terms.metric, terms.classes)
    truth = [random.randrange(size) for _ in range(terms.batch_size)]
    return [
        bytes(x if random.random() < 0.7 else random.randrange(size) for x in truth) for _ in range(seats)
    ]


@pytest.fixture
def scored(referee):
    """The referee's scores by lane, found to be those of the readable reference."""

    def scored(terms, labels, labelers=None, row=None, clear=None, key=KEY):
        terms = replace(terms, cohort=len(labels))
        labelers = people(len(labels)) if labelers is None else labelers
        if clear is None and row is not None:
            size = label_count(terms.metric, terms.classes)
            clear = audit.encode_row(row, terms.batch_size, size)
        enciphered = b"" if clear is None else audit.encipher(clear, KEY, BATCH)
        word = referee.score(
            rubric(terms),
            [who if given else ZERO_ADDRESS for who, given in zip(labelers, labels, strict=True)],
            b"".join(labels),
            enciphered,
            key,
            BATCH,
        )
        found = unpack(word, len(labels))
        assert found == reference.scores(terms, labels, labelers, row)
        return found

    return scored


def rubric(terms):
    weights = (terms.weights.peers, terms.weights.gold, terms.weights.repeats)
    return (terms.metric, terms.classes, terms.batch_size, terms.audited, weights)


@pytest.fixture
def audited():
    """Terms with an audit, twelve positions and weights on all signals."""
    word = b"\x01" * 32
    return replace(TERMS, batch_size=12, cohort=5, weights=ALL, audit_root=word, audit_key_hash=word)


def test_when_there_are_more_seats_than_a_word_has_lanes(referee):
    with reverts(referee.CohortTooLarge, cohort=16, most=15):
        referee.score(rubric(TERMS), [ZERO_ADDRESS] * 16, b"", b"", bytes(32), 0)
    assert referee.score(rubric(TERMS), [ZERO_ADDRESS] * 15, b"", b"", bytes(32), 0) == pack([ABSENT] * 15)


def test_when_the_batch_size_is_beyond_the_largest(referee):
    with reverts(referee.WrongLength, length=8_161, required=8_160):
        referee.score(rubric(replace(TERMS, batch_size=8_161)), [], b"", b"", bytes(32), 0)


@pytest.mark.parametrize("length", [0, 4, 7, 9, 12])
def test_when_the_labels_are_not_as_many_as_the_revealed_seats_have(referee, length):
    labelers = [people(1)[0], ZERO_ADDRESS, people(2)[1]]
    with reverts(referee.WrongLength, length=length, required=8):
        referee.score(rubric(TERMS), labelers, bytes(length), b"", bytes(32), 0)


@pytest.mark.parametrize("at", [0, 31, 32, 63, 64, 119])
def test_when_a_label_is_out_of_range(referee, at):
    terms = replace(TERMS, batch_size=40)
    labels = bytearray(120)
    labels[at] = 3
    with reverts(referee.LabelOutOfRange, position=at, label=3, size=3):
        referee.score(rubric(terms), people(3), bytes(labels), b"", bytes(32), 0)


def test_given_nobody_revealed(scored):
    assert scored(TERMS, [b""] * 5) == [ABSENT] * 5


@pytest.mark.parametrize(
    ("labels", "labelers"),
    [
        ([b"\0\1\2\0", b"", b""], "abc"),
        ([b"\0\1\2\0", b"", b"\0\1\2\0"], "abc"),
        ([b"\0\1\2\0"] * 3, "aab"),
        ([b"\0\1\2\0"] * 3, "aaa"),
    ],
)
def test_given_fewer_than_two_peers(scored, labels, labelers):
    names = [people(3)["abc".index(name)] for name in labelers]
    found = scored(TERMS, labels, names)
    lone = labelers == "aab"  # the third has two peers, who are one person
    assert found[0] == UNSCORED
    assert found[2] == (10_000 if lone else UNSCORED if labels[2] else ABSENT)


METRICS = [
    *[(Metric.NOMINAL, classes) for classes in (2, 3, 4, 17, 128, 129, 255)],
    *[(Metric.INTERVAL, levels) for levels in (2, 5, 100, 255)],
    *[(Metric.RANKING, items) for items in (2, 3, 4, 5)],
]


@pytest.mark.parametrize(("metric", "classes"), METRICS)
def test_given_peers_of_every_metric(scored, metric, classes):
    terms = replace(TERMS, metric=metric, classes=classes, cohort=7, batch_size=33)
    labels = random_labels(terms, 7)
    labels[2] = b""
    size = label_count(metric, classes)
    labels[4] = bytes([size - 1]) * 33
    found = scored(terms, labels)
    assert found[2] == ABSENT
    assert len(set(found)) > 3


def test_given_seats_of_one_labeler(scored):
    terms = replace(TERMS, cohort=5, batch_size=20)
    labels = random_labels(terms, 5)
    alone = scored(terms, labels)
    first, *_ = names = people(5)
    shared = scored(terms, labels, [first, names[1], first, names[3], first])
    assert shared != alone


@pytest.mark.parametrize("row", [ROW, None])
def test_given_no_key(scored, audited, row):
    labels = [*random_labels(audited, 4), b""]
    clear = None if row is None else audit.encode_row(row, 12, 3)
    assert scored(audited, labels, clear=clear, key=bytes(32)) == [UNSCORED] * 4 + [ABSENT]


GOOD = audit.encode_row(ROW, 12, 3)
GOLD = 2  # where the count of the gold stands: after the bitmap
REPEATS = GOLD + 2 + 3 * len(ROW.gold)


def patched(at, *values):
    row = bytearray(GOOD)
    row[at : at + len(values)] = values
    return bytes(row)


BAD_ROWS = {
    "empty": b"",
    "bitmap alone": GOOD[:2],
    "cut before the repeats": GOOD[:REPEATS],
    "one byte short": GOOD[:-1],
    "unused bit set": patched(1, GOOD[1] | 1),
    "too much gold": patched(GOLD, 0, 200),
    "most gold": patched(GOLD, 255, 255),
    "gold that is not shared": patched(GOLD + 2, 0, 5),
    "gold beyond the batch": patched(GOLD + 11, 0, 12),
    "gold far beyond the batch": patched(GOLD + 11, 255, 255),
    "gold twice": patched(GOLD + 5, 0, 1),
    "gold that descends": patched(GOLD + 5, 0, 0),
    "gold label out of range": patched(GOLD + 4, 3),
    "too many repeats": patched(REPEATS, 0, 5),
    "most repeats": patched(REPEATS, 255, 255),
    "repeat of itself": patched(REPEATS + 4, 0, 0),
    "repeat backwards": patched(REPEATS + 6, 0, 8, 0, 2),
    "repeat beyond the batch": patched(REPEATS + 4, 0, 12),
    "repeats that descend": patched(REPEATS + 6, 0, 0, 0, 8),
    "padding that is not zero": GOOD + b"\0\1",
    "too long": GOOD.ljust(audit.max_row(12) + 1, b"\0"),
}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_given_a_row_that_does_not_parse(scored, audited, bad):
    with pytest.raises(audit.AuditError):
        audit.parse_row(BAD_ROWS[bad], 12, 3)
    labels = [*random_labels(audited, 4), b""]
    assert scored(audited, labels, clear=BAD_ROWS[bad]) == [UNSCORED] * 4 + [ABSENT]


@pytest.mark.parametrize("length", [len(GOOD), len(GOOD) + 1, 64, audit.max_row(12)])
def test_given_a_row_that_parses(scored, audited, length):
    labels = [*random_labels(audited, 4), b""]
    found = scored(audited, labels, row=ROW, clear=GOOD.ljust(length, b"\0"))
    assert UNSCORED not in found


@pytest.mark.parametrize(("failing", "void"), [(3, False), (4, True)])
def test_given_gold_that_most_fail(scored, audited, failing, void):
    """Three quarters of four may fail an item; one more makes it void."""
    terms = replace(audited, weights=Weights(peers=0, gold=1, repeats=0))
    row = replace(ROW, gold=((1, 0), (3, 1), (4, 2)))
    right = bytes([0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0])
    wrong = bytes([0, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0])
    found = scored(terms, [wrong] * failing + [right] * (4 - failing), row=row)
    assert (found[0] == 10_000) == void


@pytest.mark.parametrize(("failing", "void"), [(3, False), (4, True)])
def test_given_repeats_that_most_fail(scored, audited, failing, void):
    terms = replace(audited, weights=Weights(peers=0, gold=0, repeats=1))
    row = replace(ROW, repeats=((0, 5), (2, 8), (6, 10)))
    right = bytes([0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 2, 0])
    wrong = bytes([0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0])
    found = scored(terms, [wrong] * failing + [right] * (4 - failing), row=row)
    assert (found[0] == 10_000) == void


def test_given_one_gold_position_and_one_repeat(scored, audited):
    terms = replace(audited, weights=Weights(peers=0, gold=1, repeats=1))
    row = replace(ROW, gold=ROW.gold[:1], repeats=ROW.repeats[:1])
    assert scored(terms, random_labels(terms, 5), row=row) == [UNSCORED] * 5


@pytest.mark.parametrize("shared", [(), (7,), (3, 7)])
def test_given_one_shared_position(scored, audited, shared):
    terms = replace(audited, weights=Weights(peers=1, gold=0, repeats=0))
    found = scored(terms, random_labels(terms, 5), row=AuditRow(shared=shared))
    assert (found == [UNSCORED] * 5) == (len(shared) < 2)


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (65_535, 65_535, 65_535), (0, 7, 2)])
def test_given_weights_of_some_signals_only(scored, audited, weights):
    peers, gold, repeats = weights
    terms = replace(audited, weights=Weights(peers=peers, gold=gold, repeats=repeats))
    scored(terms, [*random_labels(terms, 4), b""], row=ROW)


@pytest.mark.parametrize("size", [2, 3, 31, 32, 33, 63, 64, 65])
@pytest.mark.parametrize("metric", Metric)
def test_when_a_label_string_is_not_as_long_as_a_word(scored, metric, size):
    terms = replace(TERMS, metric=metric, classes=4, batch_size=size)
    scored(terms, random_labels(terms, 4, seed=size))
