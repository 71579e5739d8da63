// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TokenMock} from "./TokenMock.sol";

/// TEST DOUBLE, never to be deployed for use. A token that keeps a list of receivers whom it pays nothing.
contract RefusingTokenMock is TokenMock {
    error ReceiverRefused(address receiver);

    mapping(address receiver => bool) public refuses;

    function refuse(address receiver, bool refused) external {
        refuses[receiver] = refused;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!refuses[to], ReceiverRefused(to));
        super._update(from, to, amount);
    }
}
