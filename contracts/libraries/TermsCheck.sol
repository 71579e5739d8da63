// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MAX_COHORT} from "../types/Scores.sol";
import {Metric, Terms} from "../types/Terms.sol";
import {Payouts} from "./Payouts.sol";

/// Which terms can be honoured.
library TermsCheck {
    error CohortOutOfRange(uint256 cohort, uint256 least, uint256 most);
    error BatchSizeOutOfRange(uint256 batchSize, uint256 least, uint256 most);
    error ClassesOutOfRange(uint256 classes, uint256 least, uint256 most);
    error BatchesOutOfRange(uint256 batches, uint256 least, uint256 most);
    error UnorderedCurve(int16 slashFull, int16 slashFrom, int16 payFrom, int16 payFull);
    error ScoreOutOfRange(int16 score, int256 least, int256 most);
    error SlashAboveForfeit(uint256 maxSlash, uint256 forfeit);
    error ForfeitAboveHalf(uint256 forfeit, uint256 most);
    error NoSignal();
    error PeriodOutOfRange(uint256 period, uint256 least, uint256 most);
    error EnrollByOutOfRange(uint256 enrollBy, uint256 least, uint256 most);
    error ZeroBond();
    error HalfAnAudit(bytes32 auditRoot, bytes32 auditKeyHash);
    error RuleWithoutGate(bytes32 gateRule);

    uint256 internal constant MIN_COHORT = 3;
    uint256 internal constant MIN_BATCH_SIZE = 2;
    uint256 internal constant MAX_BATCH_SIZE = 8_160; // see Referee
    uint256 internal constant MAX_PERIOD = 365 days;
    int16 internal constant MAX_SCORE = 10_000;
    /// Denouncing oneself costs half of the stake: if absence cost more, that would be the cheap way out.
    uint256 internal constant MAX_FORFEIT = Payouts.BPS / 2;

    /// Reverts unless a campaign under these terms can be carried through, whatever anyone does. (That a batch can be
    /// refereed in one transaction is for the caller to ask of the referee.)
    function check(Terms calldata terms, uint256 now_) internal pure {
        uint256 cohort = terms.cohort;
        require(cohort >= MIN_COHORT && cohort <= MAX_COHORT, CohortOutOfRange(cohort, MIN_COHORT, MAX_COHORT));
        uint256 size = terms.batchSize;
        require(
            size >= MIN_BATCH_SIZE && size <= MAX_BATCH_SIZE, BatchSizeOutOfRange(size, MIN_BATCH_SIZE, MAX_BATCH_SIZE)
        );
        uint256 mostClasses = terms.metric == Metric.Ranking ? 5 : type(uint8).max;
        require(terms.classes >= 2 && terms.classes <= mostClasses, ClassesOutOfRange(terms.classes, 2, mostClasses));
        uint256 mostBatches = type(uint32).max / cohort; // seats are counted in 32 bits
        require(
            terms.batches != 0 && terms.batches <= mostBatches, BatchesOutOfRange(terms.batches, 1, mostBatches)
        );
        require(terms.bond != 0, ZeroBond());
        require(terms.gate != address(0) || terms.gateRule == 0, RuleWithoutGate(terms.gateRule));

        _checkCurve(terms);
        _checkSignals(terms);
        _checkTimes(terms, now_);
    }

    function _checkCurve(Terms calldata terms) private pure {
        (int16 slashFull, int16 slashFrom) = (terms.curve.slashFull, terms.curve.slashFrom);
        (int16 payFrom, int16 payFull) = (terms.curve.payFrom, terms.curve.payFull);
        require(
            slashFull <= slashFrom && slashFrom <= payFrom && payFrom <= payFull,
            UnorderedCurve(slashFull, slashFrom, payFrom, payFull)
        );
        _checkScore(slashFull);
        _checkScore(payFull);
        _checkScore(terms.curve.floor);
        uint256 forfeit = terms.curve.forfeit;
        require(terms.curve.maxSlash <= forfeit, SlashAboveForfeit(terms.curve.maxSlash, forfeit));
        require(forfeit <= MAX_FORFEIT, ForfeitAboveHalf(forfeit, MAX_FORFEIT));
    }

    function _checkScore(int16 score) private pure {
        require(score >= -MAX_SCORE && score <= MAX_SCORE, ScoreOutOfRange(score, -MAX_SCORE, MAX_SCORE));
    }

    function _checkSignals(Terms calldata terms) private pure {
        bytes32 root = terms.auditRoot;
        bytes32 keyHash = terms.auditKeyHash;
        require((root == 0) == (keyHash == 0), HalfAnAudit(root, keyHash));
        bool audits = keyHash != 0 && (terms.weights.gold != 0 || terms.weights.repeats != 0);
        require(terms.weights.peers != 0 || audits, NoSignal());
    }

    function _checkTimes(Terms calldata terms, uint256 now_) private pure {
        uint256 most = now_ + MAX_PERIOD;
        require(
            terms.enrollBy > now_ && terms.enrollBy <= most,
            EnrollByOutOfRange(terms.enrollBy, now_ + 1, most)
        );
        _checkPeriod(terms.periods.draw);
        _checkPeriod(terms.periods.commit);
        _checkPeriod(terms.periods.reveal);
        _checkPeriod(terms.periods.audit);
        _checkPeriod(terms.periods.challenge);
    }

    function _checkPeriod(uint256 period) private pure {
        require(period != 0 && period <= MAX_PERIOD, PeriodOutOfRange(period, 1, MAX_PERIOD));
    }
}
