// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What one batch pays and costs. Rewards and the refund are rounded down, losses up; the rest sinks.
struct Payout {
    int256[] results; // by lane: what the seat gets on top of its stake, or (negative) loses of it
    uint256 refund; //   of the bounty, to the experimenter: for labels never delivered
    uint256 sunk; //     unearned pay, losses and dust, to the sink
}
