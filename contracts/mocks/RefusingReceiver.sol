// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// TEST DOUBLE, never to be deployed for use. An account that takes no ether.
contract RefusingReceiver {
    error Refused(uint256 amount);

    receive() external payable {
        revert Refused(msg.value);
    }
}
