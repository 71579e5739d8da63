// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Decides who may take seats in a campaign.
interface IGate {
    /// Whether `labeler` may take `seats` more seats of `campaign`. Called once for each enrolment, by the contract that
    /// holds the campaign, so that a gate may keep count. `rule` stands in the campaign's terms; `proof` comes from the
    /// caller. A gate that says no returns false or reverts.
    function admit(uint256 campaign, bytes32 rule, address labeler, uint256 seats, bytes calldata proof)
        external
        returns (bool);
}
