// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Payout} from "../types/Payout.sol";
import {Scores} from "../types/Scores.sol";
import {SeatRecord} from "../types/SeatRecord.sol";
import {Curve, Metric, Terms, Weights} from "../types/Terms.sol";

/// What a cohort's labels are judged by.
struct Rubric {
    Metric metric;
    uint8 classes;
    uint16 batchSize;
    bool audited;
    Weights weights;
}

/// The score of section 4 and the audit of section 6 of the design, as a contract without state. Anyone can call it to
/// compute a batch's scores; `Earnest` calls it to settle one.
interface IReferee {
    error CohortTooLarge(uint256 cohort, uint256 most);
    error RefereeingTooCostly(uint256 gasBound, uint256 most);
    error WrongLength(uint256 length, uint256 required);

    /// The scores of one cohort.
    /// @param labelers the seats' addresses, by lane; 0 for a seat that did not reveal
    /// @param labels those of the revealed seats, by lane, one after another
    /// @param row the batch's audit row, enciphered; without an audit it is not looked at
    /// @param key of the audit; 0 when it was not disclosed
    function score(
        Rubric calldata rubric,
        address[] calldata labelers,
        bytes calldata labels,
        bytes calldata row,
        bytes32 key,
        uint256 batch
    ) external pure returns (Scores);

    /// What a batch of these scores pays and costs.
    /// @param bounty of the batch, in token units
    /// @param stake of a seat, in token units
    /// @param records of the cohort's seats, by lane
    function payout(Curve calldata curve, uint256 bounty, uint256 stake, Scores scores, SeatRecord[] calldata records)
        external
        pure
        returns (Payout memory);

    /// The agreement of two label strings of one length, in basis points; 0 when shorter than 2.
    function agreement(Metric metric, uint8 classes, bytes calldata u, bytes calldata v) external pure returns (int256);

    /// How many different labels there are: every byte is below it.
    function labelSize(Metric metric, uint8 classes) external pure returns (uint256);

    /// Reverts unless every byte is a label.
    function checkLabels(Metric metric, uint8 classes, bytes calldata labels) external pure;

    /// Reverts unless a campaign created at `now_` under these terms can be carried through, whatever anyone does.
    function checkTerms(Terms calldata terms, uint256 now_) external pure;

    /// An upper bound on the gas of one transaction that referees a batch of `cohort` seats, its calldata included.
    function gasBound(Rubric memory rubric, uint256 cohort) external pure returns (uint256);
}
