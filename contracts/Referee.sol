// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReferee, Rubric} from "./interfaces/IReferee.sol";
import {Audit, AuditRow} from "./libraries/AuditRow.sol";
import {Interval} from "./libraries/Interval.sol";
import {Labels} from "./libraries/Labels.sol";
import {Mask} from "./libraries/Mask.sol";
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

    // Gas of a transaction that referees a batch, apart from what `Cost` says: what benchmarks/gas.py measures at most,
    // rounded up by a fifth or more. A test compares the sum with the worst case of many shapes.
    uint256 private constant GAS_FIXED = 100_000; //     terms, scores, fee and bond: cold slots, new ones among them
    uint256 private constant GAS_PER_SEAT = 14_000; //   two cold slots; the draw, walking on four times
    uint256 private constant GAS_PER_RANK = 90; //       a step down in two lists of agreements, half of them
    uint256 private constant GAS_PER_AUDIT = 30_000; //  the proof, and the row's fixed part
    uint256 private constant GAS_PER_POSITION = 1_000; // the row at a position that is gold and repeated
    uint256 private constant GAS_PER_BYTE = 16; //       of data, none of it 0
    uint256 private constant MAX_PROOF = 32; //          hashes: a tree over all batches that a campaign can have

    /// Gas by what grows with the batch.
    struct Cost {
        uint256 profile; //      a string made ready for comparing: fixed part,
        uint256 profileLabel; // and each of its labels
        uint256 pair; //         two strings compared: fixed part,
        uint256 pairLabel; //    and each label of one of them
        uint256 checkLabel; //   a label compared with the audit, and moved
    }

    /// A revealed seat on the way to its score.
    struct Seat {
        uint256 lane;
        address labeler;
        bytes labels;
        Profile profile; //      of those labels that are being compared
        int256[] agreements; //  with the seats of other labelers, from the largest
        int256 total; //         Σ weight · signal
        uint256 weight; //       Σ weight
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
        Seat[] memory seats = _open(rubric, labelers, labels);
        if (rubric.audited) {
            (bool valid, Audit memory audit) = AuditRow.open(
                row, key, batch, rubric.batchSize, Labels.size(rubric.metric, rubric.classes)
            );
            if (valid) {
                if (rubric.weights.peers != 0) _addPeers(seats, rubric, audit.shared);
                if (rubric.weights.gold != 0) _addGold(seats, rubric, audit);
                if (rubric.weights.repeats != 0) _addRepeats(seats, rubric, audit);
            }
        } else if (rubric.weights.peers != 0) {
            _addPeers(seats, rubric, Mask.full(rubric.batchSize));
        }
        return _pack(seats, labelers.length);
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
        Profile memory p;
        Profile memory q;
        _fill(p, metric, classes, u, u.length);
        _fill(q, metric, classes, v, v.length);
        return _agreement(metric, p, q);
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
        Cost memory cost = _costOf(rubric.metric, rubric.classes);
        uint256 size = rubric.batchSize;
        uint256 labels = cohort * size;
        uint256 pairs = cohort * (cohort - 1) / 2;
        // Labels in memory as they are, masked, packed, and as second answers; masks, row and repeats; lists and counts.
        uint256 words = (9 * labels + 50 * size + 3_000 * cohort) / 32;

        uint256 data = 600 + labels;
        uint256 gas = GAS_FIXED + cohort * (GAS_PER_SEAT + cost.profile) + labels * cost.profileLabel
            + pairs * (cost.pair + cohort * GAS_PER_RANK + size * cost.pairLabel) + 3 * words + words * words / 512;
        if (rubric.audited) {
            data += AuditRow.maxLength(size) + 32 * MAX_PROOF;
            // Gold, first and second answers each take a profile more.
            gas += GAS_PER_AUDIT + size * GAS_PER_POSITION + 3 * cohort * cost.profile
                + labels * (3 * cost.profileLabel + cost.checkLabel);
        }
        // A call hands on 63/64 of the gas that is left. What `gas` has for a byte of data is more than the 24 that the
        // floor price of data (EIP-7623) asks for on top of 16.
        return 21_000 + GAS_PER_BYTE * data + gas * 64 / 63;
    }

    function _costOf(Metric metric, uint256 classes) private pure returns (Cost memory) {
        if (metric == Metric.Interval) return Cost(4_000, 45, 2_300, 10, 180);
        if (metric == Metric.Ranking) return Cost(8_000, 130, 2_500, 14, 480);
        // A few classes are counted one after the other.
        if (Nominal.isPacked(classes)) return Cost(4_500 + 450 * classes, 15 + 2 * classes, 2_300, 6, 200);
        return Cost(16_500, 115, 5_300, 7, 200);
    }

    /// Checks the arguments and keeps the revealed seats.
    function _open(Rubric calldata rubric, address[] calldata labelers, bytes calldata labels)
        private
        pure
        returns (Seat[] memory seats)
    {
        require(labelers.length <= MAX_COHORT, CohortTooLarge(labelers.length, MAX_COHORT));
        uint256 size = rubric.batchSize;
        require(size <= MAX_BATCH_SIZE, WrongLength(size, MAX_BATCH_SIZE));
        Labels.check(labels, Labels.size(rubric.metric, rubric.classes));
        unchecked {
            uint256 revealed;
            for (uint256 lane; lane < labelers.length; ++lane) {
                if (labelers[lane] != address(0)) ++revealed;
            }
            require(labels.length == revealed * size, WrongLength(labels.length, revealed * size));

            seats = new Seat[](revealed);
            uint256 count;
            for (uint256 lane; lane < labelers.length; ++lane) {
                if (labelers[lane] == address(0)) continue;
                Seat memory seat = seats[count];
                seat.lane = lane;
                seat.labeler = labelers[lane];
                seat.labels = labels[count * size:(count + 1) * size];
                ++count;
            }
        }
    }

    /// The signal `peers`: the upper median of the agreements with the other revealed seats of other labelers.
    function _addPeers(Seat[] memory seats, Rubric calldata rubric, bytes memory shared) private pure {
        uint256 n = Mask.count(shared);
        if (n < 2) return;

        _compare(seats, rubric, shared, n);
        unchecked {
            uint256 weight = rubric.weights.peers;
            for (uint256 i; i < seats.length; ++i) {
                Seat memory seat = seats[i];
                uint256 peers = seat.agreements.length;
                if (peers >= 2) _add(seat, seat.agreements[(peers - 1) / 2], weight);
            }
        }
    }

    /// Fills in the agreements of every two seats of different labelers.
    function _compare(Seat[] memory seats, Rubric calldata rubric, bytes memory shared, uint256 n) private pure {
        unchecked {
            (Metric metric, uint256 classes) = (rubric.metric, rubric.classes);
            for (uint256 i; i < seats.length; ++i) {
                Seat memory seat = seats[i];
                seat.agreements = _emptyList(seats.length);
                bytes memory labels = n == rubric.batchSize ? seat.labels : Mask.select(shared, seat.labels);
                _fill(seat.profile, metric, classes, labels, n);
                for (uint256 j; j < i; ++j) {
                    Seat memory peer = seats[j];
                    if (peer.labeler == seat.labeler) continue;
                    int256 value = _agreement(metric, seat.profile, peer.profile);
                    _insert(seat.agreements, value);
                    _insert(peer.agreements, value);
                }
            }
        }
    }

    /// The signal `gold`: the agreement with the known answers that are not void.
    function _addGold(Seat[] memory seats, Rubric calldata rubric, Audit memory audit) private pure {
        bytes[] memory known = new bytes[](1);
        known[0] = audit.answers;
        _addChecks(seats, rubric, audit.gold, known, rubric.weights.gold);
    }

    /// The signal `repeats`: the agreement of a seat's first answers with its second ones, over the pairs not void.
    function _addRepeats(Seat[] memory seats, Rubric calldata rubric, Audit memory audit) private pure {
        bytes[] memory again = new bytes[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            again[i] = _moveToFirst(seats[i].labels, audit.repeats);
        }
        _addChecks(seats, rubric, audit.repeated, again, rubric.weights.repeats);
    }

    /// Adds the agreement of each seat's labels with those of `others`, one string for each seat or one for all, over the
    /// `items` that are not void.
    function _addChecks(
        Seat[] memory seats,
        Rubric calldata rubric,
        bytes memory items,
        bytes[] memory others,
        uint256 weight
    ) private pure {
        unchecked {
            bytes memory standing = _standing(seats, rubric, items, others);
            uint256 n = Mask.count(standing);
            if (n < 2) return;

            (Metric metric, uint256 classes) = (rubric.metric, rubric.classes);
            Profile memory other;
            bool one = others.length == 1;
            if (one) _fill(other, metric, classes, Mask.select(standing, others[0]), n);
            for (uint256 i; i < seats.length; ++i) {
                Seat memory seat = seats[i];
                uint256 free = _freeMemory();
                _fill(seat.profile, metric, classes, Mask.select(standing, seat.labels), n);
                if (!one) _fill(other, metric, classes, Mask.select(standing, others[i]), n);
                _add(seat, _agreement(metric, seat.profile, other), weight);
                _release(free);
            }
        }
    }

    /// The items that no more than three quarters of the seats fail.
    function _standing(Seat[] memory seats, Rubric calldata rubric, bytes memory items, bytes[] memory others)
        private
        pure
        returns (bytes memory)
    {
        unchecked {
            bytes memory tally = new bytes(items.length);
            for (uint256 i; i < seats.length; ++i) {
                uint256 free = _freeMemory();
                bytes memory other = others[others.length == 1 ? 0 : i];
                _tallyPasses(rubric, tally, Mask.select(items, seats[i].labels), other);
                _release(free);
            }
            return Mask.atLeast(items, tally, seats.length - 3 * seats.length / 4);
        }
    }

    function _tallyPasses(Rubric calldata rubric, bytes memory tally, bytes memory u, bytes memory v) private pure {
        if (rubric.metric == Metric.Nominal) Nominal.tallyPasses(tally, u, v);
        else if (rubric.metric == Metric.Interval) Interval.tallyPasses(tally, u, v, rubric.classes);
        else Ranking.tallyPasses(tally, u, v, rubric.classes);
    }

    /// A string with the labels of the second positions at the first ones, and 0 elsewhere.
    function _moveToFirst(bytes memory labels, uint256[] memory repeats) private pure returns (bytes memory moved) {
        moved = new bytes(labels.length);
        assembly ("memory-safe") {
            let from := add(labels, 0x20)
            let to := add(moved, 0x20)
            let end := add(add(repeats, 0x20), shl(5, mload(repeats)))
            for { let p := add(repeats, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let repeat := mload(p)
                mstore8(add(to, shr(16, repeat)), byte(0, mload(add(from, and(repeat, 0xffff)))))
            }
        }
    }

    function _add(Seat memory seat, int256 signal, uint256 weight) private pure {
        unchecked {
            seat.total += signal * int256(weight);
            seat.weight += weight;
        }
    }

    function _pack(Seat[] memory seats, uint256 size) private pure returns (Scores scores) {
        unchecked {
            uint256 i;
            for (uint256 lane; lane < size; ++lane) {
                if (i == seats.length || seats[i].lane != lane) {
                    scores = scores.fill(lane, ABSENT);
                    continue;
                }
                Seat memory seat = seats[i++];
                scores = scores.fill(lane, seat.weight == 0 ? UNSCORED : int16(seat.total / int256(seat.weight)));
            }
        }
    }

    /// `1 − observed / expected disagreement` in basis points, of two strings of which at least two labels count.
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
            value = ONE * (int256(crossed) - int256((u.n - 1) * observed)) / int256(crossed);
        }
        if (value < -ONE) value = -ONE; // never above ONE: `observed` is not negative
    }

    /// Makes a string ready in which `n` labels count and the others are 0.
    function _fill(Profile memory p, Metric metric, uint256 classes, bytes memory labels, uint256 n) private pure {
        (p.n, p.labels) = (n, labels);
        if (metric == Metric.Nominal) Nominal.fill(p, classes);
        else if (metric == Metric.Interval) Interval.fill(p);
        else Ranking.fill(p, classes);
    }

    /// A list without entries, with room for `capacity`.
    function _emptyList(uint256 capacity) private pure returns (int256[] memory list) {
        list = new int256[](capacity);
        assembly ("memory-safe") {
            mstore(list, 0)
        }
    }

    /// Inserts `value` into a list that descends and has room.
    function _insert(int256[] memory list, int256 value) private pure {
        assembly ("memory-safe") {
            // In the meantime its length makes way for a value that none is larger than.
            let count := add(mload(list), 1)
            mstore(list, ONE)
            let at := add(list, shl(5, count))
            let before := mload(sub(at, 0x20))
            for {} slt(before, value) {} {
                mstore(at, before)
                at := sub(at, 0x20)
                before := mload(sub(at, 0x20))
            }
            mstore(at, value)
            mstore(list, count)
        }
    }

    /// Where free memory begins. What is allocated from there on is given back by `_release`, so that memory, whose cost
    /// grows with its square, holds the work of one seat and not that of all.
    function _freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _release(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }
}
