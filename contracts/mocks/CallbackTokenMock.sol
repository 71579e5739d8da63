// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CallerMock} from "./CallerMock.sol";
import {TokenMock} from "./TokenMock.sol";

/// TEST DOUBLE, never to be deployed for use. A token that makes a prepared call during each transfer, as one with the
/// hooks of ERC-777 lets sender and receiver do.
contract CallbackTokenMock is TokenMock, CallerMock {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0)) _callBack();
    }
}
