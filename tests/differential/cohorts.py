"""Random cohorts of every kind, one for each seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from earnest.protocol.audit import AuditRow, encipher, encode_row, max_row
from earnest.protocol.labels import label_count
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

WORD = b"\x01" * 32
ZERO = bytes(32)
NOBODY = "0x" + 40 * "0"

CLASSES = {
    Metric.NOMINAL: (2, 3, 4, 5, 7, 16, 17, 32, 33, 100, 128, 129, 254, 255),
    Metric.INTERVAL: (2, 3, 4, 5, 6, 10, 101, 128, 129, 254, 255),
    Metric.RANKING: (2, 3, 4, 5),
}
ANSWERS = ("random", "constant", "lowest", "highest", "noisy", "noisy", "right", "two labels", "inverted")
# Around the words of 12, 16 and 32 labels, and the packed ones of 64, 128 and 256.
SIZES = (2, 2, 3, 4, 11, 12, 13, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257)


@dataclass(frozen=True)
class Cohort:
    """What one batch's scores are computed from; `row` is enciphered, `key` 0 when undisclosed."""

    seed: int
    terms: Terms
    labels: tuple[bytes, ...]
    labelers: tuple[str, ...]
    row: bytes
    key: bytes
    batch: int

    @property
    def rubric(self) -> tuple[object, ...]:
        weights = self.terms.weights
        return (
            int(self.terms.metric),
            self.terms.classes,
            self.terms.batch_size,
            self.terms.audited,
            (weights.peers, weights.gold, weights.repeats),
        )

    @property
    def revealed(self) -> list[str]:
        """The labelers by lane, nobody where nothing was revealed."""
        return [name if given else NOBODY for name, given in zip(self.labelers, self.labels, strict=True)]


def cohort(seed: int, sizes: tuple[int, ...] = SIZES) -> Cohort:
    """The cohort of a seed; the same seed gives the same cohort."""
    random = Random(seed)
    metric = random.choice(list(Metric))
    classes = random.choice(CLASSES[metric])
    count = label_count(metric, classes)
    size = random.choice(sizes) if random.random() < 0.8 else random.randint(2, 70)
    seats = random.choice((3, 3, 4, 5, 5, 6, 7, 7, 8, 10, 14, 15))
    audited = random.random() < 0.6
    terms = Terms(
        stake=1,
        bounty=1,
        batch_size=size,
        cohort=seats,
        metric=metric,
        classes=classes,
        bond=1,
        batches=1,
        enroll_by=1,
        curve=Curve(max_slash=1, forfeit=1),
        weights=_weights(random),
        periods=Periods(draw=1, commit=1, reveal=1, audit=1, challenge=1),
        audit_root=WORD if audited else ZERO,
        audit_key_hash=WORD if audited else ZERO,
        manifest=WORD,
    )

    truth = [random.randrange(count) for _ in range(size)]
    if random.random() < 0.1:
        truth = [truth[0]] * size
    kinds = random.choices(ANSWERS, k=random.randint(1, 4))
    absent = random.choice((0, 0, 0.15, 0.5, 0.9, 1))
    people = random.choice((1, 2, seats, 2 * seats, 50 * seats))
    labels = tuple(
        b"" if random.random() < absent else _answers(random, random.choice(kinds), truth, count)
        for _ in range(seats)
    )
    labelers = tuple(f"0x{random.randint(1, people):040x}" for _ in range(seats))
    key = ZERO if random.random() < 0.1 else random.randbytes(32)
    batch = random.choice((0, 1, 2**32, 2**256 - 1))
    row = encipher(_row(random, truth, count), key, batch)
    return Cohort(seed, terms, labels, labelers, row, key, batch)


def _weights(random: Random) -> Weights:
    choice = (0, 1, 1, 2, 7, 65_535)
    return Weights(peers=random.choice(choice), gold=random.choice(choice), repeats=random.choice(choice))


def _answers(random: Random, kind: str, truth: list[int], count: int) -> bytes:
    if kind == "random":
        return bytes(random.randrange(count) for _ in truth)
    if kind == "constant":
        return bytes([random.randrange(count)]) * len(truth)
    if kind == "lowest":
        return bytes(len(truth))
    if kind == "highest":
        return bytes([count - 1]) * len(truth)
    if kind == "noisy":
        right = random.random()
        return bytes(label if random.random() < right else random.randrange(count) for label in truth)
    if kind == "two labels":
        return bytes(random.choice((0, count - 1)) for _ in truth)
    return bytes(label if kind == "right" else count - 1 - label for label in truth)


def _row(random: Random, truth: list[int], count: int) -> bytes:
    """A row in the clear: most parse, with no, few or all checks; some have one thing wrong."""
    size = len(truth)
    shares = (0, 0.02, 0.1, 0.5, 1, 1)
    share = random.choice((0, 0.1, 0.5, 1, 1, 1))
    shared = [at for at in range(size) if random.random() < share]
    share = random.choice(shares)
    known = truth if random.random() < 0.6 else [random.randrange(count)] * size
    gold = [(at, known[at]) for at in shared if random.random() < share]
    share = random.choice(shares)
    repeats = [(at, random.randrange(at + 1, size)) for at in range(size - 1) if random.random() < share]
    if random.random() < 0.5:  # the second time often the same answer
        repeats = [(at, truth.index(truth[at], at + 1)) for at, _ in repeats if truth[at] in truth[at + 1 :]]
    row = encode_row(AuditRow(tuple(shared), tuple(gold), tuple(repeats)), size, count)
    longest = max_row(size)
    if random.random() < 0.5:
        row = row.ljust(min(longest, len(row) + random.randint(0, 40)), b"\0")
    if random.random() < 0.75:
        return row
    return _spoilt(random, row, longest)


def _spoilt(random: Random, row: bytes, longest: int) -> bytes:
    kind = random.randrange(6)
    if kind == 0:
        return row[: random.randrange(len(row))]
    if kind == 1:
        return row.ljust(longest, b"\0") + bytes(random.randint(0, 2))
    if kind == 2:
        return row.ljust(min(longest, len(row) + random.randint(1, 40)), b"\0")[:-1] + b"\x01"
    if kind == 3:
        return random.randbytes(random.randrange(longest + 1))
    at = random.randrange(len(row))
    changed = random.randrange(256) if kind == 4 else row[at] ^ (1 << random.randrange(8))
    return row[:at] + bytes([changed]) + row[at + 1 :]
