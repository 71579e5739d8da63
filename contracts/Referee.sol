// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReferee, Rubric} from "./interfaces/IReferee.sol";
import {Audit, AuditRow} from "./libraries/AuditRow.sol";
import {Interval} from "./libraries/Interval.sol";
import {Labels} from "./libraries/Labels.sol";
import {Nominal} from "./libraries/Nominal.sol";
import {Ranking} from "./libraries/Ranking.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {Payout} from "./types/Payout.sol";
import {SeatRecord} from "./types/SeatRecord.sol";
import {Profile} from "./types/Profile.sol";
import {ABSENT, MAX_COHORT, Scores, UNSCORED} from "./types/Scores.sol";
import {Curve, Metric, Terms} from "./types/Terms.sol";

/// REFEREE
///
/// A pure function of its arguments: no storage, no calls, no privileges.
///
/// SIZES. A batch has at most 255 words of 32 positions, so that counters of one byte cannot spill (`Nominal`) and
/// sums of squares stay far below 2^256.
///
/// ROUNDING. Agreements and scores are truncated toward zero, the same for good and bad ones.
contract Referee is IReferee {
    int256 private constant ONE = 10_000; // basis points
    uint256 private constant MAX_BATCH_SIZE = TermsCheck.MAX_BATCH_SIZE;
    /// The gas that one transaction may use (EIP-7825), and so what refereeing a batch must fit.
    uint256 private constant MAX_TRANSACTION_GAS = 2 ** 24;

    /// One cohort on its way to its scores. Arrays go by revealed seat, not by lane.
    struct Cohort {
        uint256[] lanes;
        address[] labelers;
        bytes[] labels;
        int256[] totals; //  Σ weight · signal
        uint256[] weights; // Σ weight
    }

    /// @inheritdoc IReferee
    function score(
        Rubric calldata rubric,
        address[] calldata labelers,
        bytes calldata labels,
        bytes calldata row,
        bytes32 key,
        uint256 batch
    ) external pure returns (Scores) {
        Cohort memory cohort = _open(rubric, labelers, labels);
        if (rubric.audited) {
            (bool valid, Audit memory audit) = AuditRow.open(
                row, key, batch, rubric.batchSize, Labels.size(rubric.metric, rubric.classes)
            );
            if (valid) {
                if (rubric.weights.peers != 0) _addPeers(cohort, rubric, _gatherAll(cohort, audit.shared));
                if (rubric.weights.gold != 0) _addGold(cohort, rubric, audit);
                if (rubric.weights.repeats != 0) _addRepeats(cohort, rubric, audit);
            }
        } else if (rubric.weights.peers != 0) {
            _addPeers(cohort, rubric, cohort.labels);
        }
        return _pack(cohort, labelers.length);
    }

    /// @inheritdoc IReferee
    function payout(Curve calldata curve, uint256 bounty, uint256 stake, Scores scores, SeatRecord[] calldata records)
        external
        pure
        returns (Payout memory)
    {
        return Payouts.compute(curve, bounty, stake, scores, records);
    }

    /// @inheritdoc IReferee
    function agreement(Metric metric, uint8 classes, bytes calldata u, bytes calldata v)
        external
        pure
        returns (int256)
    {
        require(u.length == v.length, WrongLength(v.length, u.length));
        require(u.length <= MAX_BATCH_SIZE, WrongLength(u.length, MAX_BATCH_SIZE));
        checkLabels(metric, classes, u);
        checkLabels(metric, classes, v);

        if (u.length < 2) return 0;
        return _agreement(metric, _profile(metric, classes, u), _profile(metric, classes, v));
    }

    /// @inheritdoc IReferee
    function labelSize(Metric metric, uint8 classes) external pure returns (uint256) {
        return Labels.size(metric, classes);
    }

    /// @inheritdoc IReferee
    function checkLabels(Metric metric, uint8 classes, bytes calldata labels) public pure {
        Labels.check(labels, Labels.size(metric, classes));
    }

    /// @inheritdoc IReferee
    function checkTerms(Terms calldata terms, uint256 now_) external pure {
        TermsCheck.check(terms, now_);
        uint256 bound = gasBound(
            Rubric(terms.metric, terms.classes, terms.batchSize, terms.auditKeyHash != 0, terms.weights), terms.cohort
        );
        require(bound <= MAX_TRANSACTION_GAS, RefereeingTooCostly(bound, MAX_TRANSACTION_GAS));
    }

    /// @inheritdoc IReferee
    function gasBound(Rubric memory rubric, uint256 cohort) public pure returns (uint256) {
        return 21_000 + cohort * rubric.batchSize * 300;
    }

    /// Checks the arguments and keeps the revealed seats.
    function _open(Rubric calldata rubric, address[] calldata labelers, bytes calldata labels)
        private
        pure
        returns (Cohort memory cohort)
    {
        require(labelers.length <= MAX_COHORT, CohortTooLarge(labelers.length, MAX_COHORT));
        uint256 size = rubric.batchSize;
        require(size <= MAX_BATCH_SIZE, WrongLength(size, MAX_BATCH_SIZE));
        Labels.check(labels, Labels.size(rubric.metric, rubric.classes));
        uint256 revealed;
        for (uint256 lane; lane < labelers.length; ++lane) {
            if (labelers[lane] != address(0)) ++revealed;
        }
        require(labels.length == revealed * size, WrongLength(labels.length, revealed * size));

        cohort.lanes = new uint256[](revealed);
        cohort.labelers = new address[](revealed);
        cohort.labels = new bytes[](revealed);
        cohort.totals = new int256[](revealed);
        cohort.weights = new uint256[](revealed);
        uint256 seat;
        for (uint256 lane; lane < labelers.length; ++lane) {
            if (labelers[lane] == address(0)) continue;
            cohort.lanes[seat] = lane;
            cohort.labelers[seat] = labelers[lane];
            cohort.labels[seat] = labels[seat * size:(seat + 1) * size];
            ++seat;
        }
    }

    /// The signal `peers`: the upper median of the agreements with the other revealed seats of other labelers.
    function _addPeers(Cohort memory cohort, Rubric calldata rubric, bytes[] memory answers) private pure {
        uint256 seats = answers.length;
        if (seats < 3 || answers[0].length < 2) return;

        int256[] memory agreements = _agreements(rubric, cohort.labelers, answers);
        int256[] memory sorted = new int256[](seats);
        for (uint256 seat; seat < seats; ++seat) {
            uint256 peers;
            for (uint256 peer; peer < seats; ++peer) {
                if (cohort.labelers[peer] == cohort.labelers[seat]) continue;
                _insertDescending(sorted, peers++, agreements[seat * seats + peer]);
            }
            if (peers >= 2) _add(cohort, seat, sorted[(peers - 1) / 2], rubric.weights.peers);
        }
    }

    /// The agreement of every two seats of different labelers, as a square matrix.
    function _agreements(Rubric calldata rubric, address[] memory labelers, bytes[] memory answers)
        private
        pure
        returns (int256[] memory agreements)
    {
        uint256 seats = answers.length;
        Metric metric = rubric.metric;
        agreements = new int256[](seats * seats);
        Profile[] memory profiles = new Profile[](seats);
        for (uint256 seat; seat < seats; ++seat) {
            profiles[seat] = _profile(metric, rubric.classes, answers[seat]);
            for (uint256 peer; peer < seat; ++peer) {
                if (labelers[peer] == labelers[seat]) continue;
                int256 value = _agreement(metric, profiles[seat], profiles[peer]);
                agreements[seat * seats + peer] = value;
                agreements[peer * seats + seat] = value;
            }
        }
    }

    /// The signal `gold`: the agreement with the known answers that are not void.
    function _addGold(Cohort memory cohort, Rubric calldata rubric, Audit memory audit) private pure {
        bytes[] memory answers = _gatherAll(cohort, audit.gold);
        bytes[] memory known = new bytes[](answers.length);
        for (uint256 seat; seat < answers.length; ++seat) {
            known[seat] = audit.answers;
        }
        _addChecks(cohort, rubric, answers, known, rubric.weights.gold);
    }

    /// The signal `repeats`: the agreement of a seat's first answers with its second ones, over the pairs not void.
    function _addRepeats(Cohort memory cohort, Rubric calldata rubric, Audit memory audit) private pure {
        bytes[] memory first = _gatherAll(cohort, audit.first);
        bytes[] memory again = _gatherAll(cohort, audit.again);
        _addChecks(cohort, rubric, first, again, rubric.weights.repeats);
    }

    /// Adds the agreement of each seat's `left` with its `right`, over the items that most seats pass.
    function _addChecks(
        Cohort memory cohort,
        Rubric calldata rubric,
        bytes[] memory left,
        bytes[] memory right,
        uint256 weight
    ) private pure {
        if (left.length == 0) return;
        uint256[] memory standing = _standing(rubric, left, right);
        if (standing.length < 2) return;

        for (uint256 seat; seat < left.length; ++seat) {
            int256 value = _agreement(
                rubric.metric,
                _profile(rubric.metric, rubric.classes, _gather(left[seat], standing)),
                _profile(rubric.metric, rubric.classes, _gather(right[seat], standing))
            );
            _add(cohort, seat, value, weight);
        }
    }

    /// The items that no more than three quarters of the seats fail.
    function _standing(Rubric calldata rubric, bytes[] memory left, bytes[] memory right)
        private
        pure
        returns (uint256[] memory standing)
    {
        uint256 items = left[0].length;
        standing = new uint256[](items);
        uint256 count;
        for (uint256 item; item < items; ++item) {
            uint256 failed;
            for (uint256 seat; seat < left.length; ++seat) {
                if (_fails(rubric, uint8(left[seat][item]), uint8(right[seat][item]))) ++failed;
            }
            if (4 * failed <= 3 * left.length) standing[count++] = item;
        }
        assembly ("memory-safe") {
            mstore(standing, count)
        }
    }

    function _fails(Rubric calldata rubric, uint256 x, uint256 y) private pure returns (bool) {
        if (x == y) return false;
        if (rubric.metric == Metric.Nominal) return true;
        if (rubric.metric == Metric.Interval) return 4 * (x > y ? x - y : y - x) > rubric.classes - uint256(1);
        return 2 * Ranking.distance(rubric.classes, x, y) > Ranking.pairs(rubric.classes);
    }

    function _add(Cohort memory cohort, uint256 seat, int256 signal, uint256 weight) private pure {
        cohort.totals[seat] += signal * int256(weight);
        cohort.weights[seat] += weight;
    }

    function _pack(Cohort memory cohort, uint256 size) private pure returns (Scores scores) {
        uint256 seat;
        for (uint256 lane; lane < size; ++lane) {
            if (seat == cohort.lanes.length || cohort.lanes[seat] != lane) {
                scores = scores.fill(lane, ABSENT);
                continue;
            }
            uint256 weight = cohort.weights[seat];
            scores = scores.fill(lane, weight == 0 ? UNSCORED : int16(cohort.totals[seat] / int256(weight)));
            ++seat;
        }
    }

    /// `1 − observed / expected disagreement` in basis points, of two strings of at least two labels.
    function _agreement(Metric metric, Profile memory u, Profile memory v) private pure returns (int256 value) {
        uint256 observed;
        uint256 crossed;
        if (metric == Metric.Nominal) {
            observed = Nominal.observed(u, v);
            crossed = Nominal.crossedWithOwn(u, v);
        } else if (metric == Metric.Interval) {
            observed = Interval.observed(u, v);
            crossed = Interval.crossedWithOwn(u, v);
        } else {
            observed = Ranking.observed(u, v);
            crossed = Ranking.crossedWithOwn(u, v);
        }
        unchecked {
            crossed -= observed;
            if (crossed == 0) return 0;
            value = ONE * (int256(crossed) - int256((u.length - 1) * observed)) / int256(crossed);
        }
        if (value < -ONE) value = -ONE; // never above ONE: `observed` is not negative
    }

    function _profile(Metric metric, uint256 classes, bytes memory labels) private pure returns (Profile memory) {
        if (metric == Metric.Nominal) return Nominal.profile(labels, classes);
        if (metric == Metric.Interval) return Interval.profile(labels);
        return Ranking.profile(labels, classes);
    }

    function _gatherAll(Cohort memory cohort, uint256[] memory positions)
        private
        pure
        returns (bytes[] memory gathered)
    {
        gathered = new bytes[](cohort.labels.length);
        for (uint256 seat; seat < gathered.length; ++seat) {
            gathered[seat] = _gather(cohort.labels[seat], positions);
        }
    }

    /// The labels at `positions`, all of which are inside the string.
    function _gather(bytes memory labels, uint256[] memory positions) private pure returns (bytes memory gathered) {
        uint256 count = positions.length;
        gathered = new bytes(count);
        assembly ("memory-safe") {
            let from := add(labels, 0x20)
            let to := add(gathered, 0x20)
            let position := add(positions, 0x20)
            for { let end := add(to, count) } lt(to, end) { to := add(to, 1) } {
                mstore8(to, byte(0, mload(add(from, mload(position)))))
                position := add(position, 0x20)
            }
        }
    }

    /// Inserts `value` into the first `count` entries of `sorted`, which descend.
    function _insertDescending(int256[] memory sorted, uint256 count, int256 value) private pure {
        unchecked {
            while (count != 0 && sorted[count - 1] < value) {
                sorted[count] = sorted[count - 1];
                --count;
            }
            sorted[count] = value;
        }
    }
}
