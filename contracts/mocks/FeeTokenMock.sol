// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TokenMock} from "./TokenMock.sol";

/// TEST DOUBLE, never to be deployed for use. A token that burns a share of what is transferred.
contract FeeTokenMock is TokenMock {
    uint256 private constant BPS = 10_000;

    uint256 public immutable fee; // basis points of a transfer

    constructor(uint256 fee_) {
        fee = fee_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 burned = from == address(0) || to == address(0) ? 0 : amount * fee / BPS;
        super._update(from, to, amount - burned);
        if (burned != 0) super._update(from, address(0), burned);
    }
}
