// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TokenMock} from "./TokenMock.sol";

/// TEST DOUBLE, never to be deployed for use. A token that burns a million gas for an approval.
contract DearTokenMock is TokenMock {
    uint256 private constant BURNED = 1_000_000;

    function approve(address spender, uint256 amount) public override returns (bool) {
        uint256 end = gasleft() - BURNED;
        while (gasleft() > end) {}
        return super.approve(spender, amount);
    }
}
