// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Scores, UNSCORED} from "../types/Scores.sol";
import {SeatRecord} from "../types/SeatRecord.sol";
import {Curve} from "../types/Terms.sol";

/// What one batch pays and costs, by lane. Rewards and the refund are rounded down, losses up; the rest sinks.
struct Payout {
    uint256[] rewards; // to revealed seats, on top of their stakes
    uint256[] losses; //  of stakes, by slash or forfeit; of a denounced seat, whose stake is gone already, 0
    uint256 refund; //    of the bounty, to the experimenter: for labels never delivered
    uint256 sunk; //      unearned pay, losses and dust, to the sink
}

/// The money (design, section 5; docs/encoding.md, "Payouts").
library Payouts {
    uint256 internal constant BPS = 10_000;

    /// The payout of one batch.
    function compute(Curve memory curve, uint256 bounty, uint256 stake, Scores scores, SeatRecord[] memory records)
        internal
        pure
        returns (Payout memory payout)
    {
        uint256 cohort = records.length;
        uint256[] memory weights = new uint256[](cohort);
        uint256 revealed;
        uint256 total;
        for (uint256 lane; lane < cohort; ++lane) {
            if (!records[lane].isRevealed()) continue;
            ++revealed;
            weights[lane] = weight(curve, scores.lane(lane));
            total += weights[lane];
        }

        payout.refund = bounty * (cohort - revealed) / cohort;
        uint256 pool = bounty * revealed / cohort;
        uint256 share = _max(2 * total, revealed * _payWidth(curve));
        bool spared = _belowFloor(curve, scores, records);
        payout.rewards = new uint256[](cohort);
        payout.losses = new uint256[](cohort);
        payout.sunk = bounty - payout.refund;
        for (uint256 lane; lane < cohort; ++lane) {
            if (records[lane].isRevealed()) {
                payout.rewards[lane] = 2 * pool * weights[lane] / share;
                if (!spared) payout.losses[lane] = slash(curve, stake, scores.lane(lane));
            } else if (!records[lane].isDenounced()) {
                payout.losses[lane] = forfeit(curve, stake);
            }
            payout.sunk = payout.sunk + payout.losses[lane] - payout.rewards[lane];
        }
    }

    /// What a score earns, 0 … `_payWidth`.
    function weight(Curve memory curve, int16 score) internal pure returns (uint256) {
        uint256 width = _payWidth(curve);
        if (score == UNSCORED || score >= curve.payFull) return width;
        if (score <= curve.payFrom) return 0;
        return uint256(int256(score) - curve.payFrom);
    }

    /// What a score costs of the stake.
    function slash(Curve memory curve, uint256 stake, int16 score) internal pure returns (uint256) {
        if (score == UNSCORED || score >= curve.slashFrom) return 0;
        if (score <= curve.slashFull) return _mulDivUp(stake, curve.maxSlash, BPS);
        // Here slashFull < score < slashFrom.
        uint256 width = uint256(int256(curve.slashFrom) - curve.slashFull);
        return _mulDivUp(stake, curve.maxSlash * uint256(int256(curve.slashFrom) - score), BPS * width);
    }

    /// What absence costs of the stake.
    function forfeit(Curve memory curve, uint256 stake) internal pure returns (uint256) {
        return _mulDivUp(stake, curve.forfeit, BPS);
    }

    /// The most that one seat of a batch can be paid: twice the even share.
    function mostReward(uint256 bounty, uint256 cohort) internal pure returns (uint256) {
        return 2 * bounty / cohort;
    }

    /// The weight of full pay.
    function _payWidth(Curve memory curve) private pure returns (uint256) {
        return curve.payFull == curve.payFrom ? 1 : uint256(int256(curve.payFull) - curve.payFrom);
    }

    /// A cohort without a signal slashes nobody: the upper median of the scored seats' scores is below the floor.
    function _belowFloor(Curve memory curve, Scores scores, SeatRecord[] memory records) private pure returns (bool) {
        // The upper median is at the floor or above when more than half of the seats (or half of an even number) are.
        uint256 scored;
        uint256 atFloor;
        for (uint256 lane; lane < records.length; ++lane) {
            int16 score = scores.lane(lane);
            if (!records[lane].isRevealed() || score == UNSCORED) continue;
            ++scored;
            if (score >= curve.floor) ++atFloor;
        }
        // Index ⌊(scored − 1) / 2⌋ from the largest is at the floor or above.
        return scored != 0 && atFloor <= (scored - 1) / 2;
    }

    function _max(uint256 x, uint256 y) private pure returns (uint256) {
        return x > y ? x : y;
    }

    function _mulDivUp(uint256 x, uint256 y, uint256 z) private pure returns (uint256) {
        return (x * y + z - 1) / z;
    }
}
