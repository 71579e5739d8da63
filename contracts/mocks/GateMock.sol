// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IGate} from "../interfaces/IGate.sol";
import {CallerMock} from "./CallerMock.sol";

/// TEST DOUBLE, never to be deployed for use. A gate that gives the answer it was told to, after making a prepared call.
contract GateMock is IGate, CallerMock {
    event Asked(uint256 campaign, bytes32 rule, address labeler, uint256 seats, bytes proof);

    bool public answer;

    function setAnswer(bool answer_) external {
        answer = answer_;
    }

    /// @inheritdoc IGate
    function admit(uint256 campaign, bytes32 rule, address labeler, uint256 seats, bytes calldata proof)
        external
        returns (bool)
    {
        emit Asked(campaign, rule, labeler, seats, proof);
        _callBack();
        return answer;
    }
}
