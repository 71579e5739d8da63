// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// TEST DOUBLE, never to be deployed for use. A plain ERC-20 that anyone can mint.
contract TokenMock is ERC20 {
    constructor() ERC20("Token", "TOK") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}
