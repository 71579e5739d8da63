// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRandomness} from "../interfaces/IRandomness.sol";

/// TEST DOUBLE, never to be deployed for use. A source whose outcomes the test sets; a new ticket is pending.
contract RandomnessMock is IRandomness {
    struct Outcome {
        Status status;
        bytes32 word;
    }

    uint256 public tickets; // given out so far; the first is 0
    mapping(uint256 ticket => Outcome) public outcome;

    function request() external returns (uint256 ticket) {
        return tickets++;
    }

    function set(uint256 ticket, Status status, bytes32 word) external {
        outcome[ticket] = Outcome(status, word);
    }
}
