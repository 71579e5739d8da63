from dataclasses import replace

import pytest
from kit import reverts

from earnest.protocol.terms import Metric

from .terms_cases import ACCEPTED, NOW, REFUSED, SOUND, WORD

MOST_GAS = 2**24
MOST_POSITIONS = 8_160


@pytest.mark.parametrize("case", ACCEPTED)
def test_when_the_terms_can_be_honoured(referee, case):
    referee.checkTerms(ACCEPTED[case].abi_tuple(), NOW)


@pytest.mark.parametrize("case", REFUSED)
def test_when_they_cannot(referee, case):
    terms, error, values = REFUSED[case]
    with reverts(getattr(referee, error), **values):
        referee.checkTerms(terms.abi_tuple(), NOW)


@pytest.mark.parametrize("audited", [False, True])
@pytest.mark.parametrize("metric", Metric)
def test_when_refereeing_a_batch_could_cost_more_than_a_transaction_may(referee, metric, audited):
    terms = replace(SOUND, metric=metric, classes=5, cohort=15)
    if audited:
        terms = replace(terms, audit_root=WORD, audit_key_hash=WORD)

    def bound(size):
        weights = (terms.weights.peers, terms.weights.gold, terms.weights.repeats)
        return referee.gasBound((metric, terms.classes, size, audited, weights), terms.cohort)

    fits, over = 2, MOST_POSITIONS + 1
    while over - fits > 1:
        size = (fits + over) // 2
        fits, over = (size, over) if bound(size) <= MOST_GAS else (fits, size)
    referee.checkTerms(replace(terms, batch_size=fits).abi_tuple(), NOW)
    if over > MOST_POSITIONS:
        return  # any batch fits
    with reverts(referee.RefereeingTooCostly, gasBound=bound(over), most=MOST_GAS):
        referee.checkTerms(replace(terms, batch_size=over).abi_tuple(), NOW)
