// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CallerMock} from "./CallerMock.sol";

/// TEST DOUBLE, never to be deployed for use. An account with code that, whenever it is sent ether, makes a prepared call.
contract ReentrantReceiver is CallerMock {
    /// Acts as this account: calls `to` with the ether sent along, and passes an error on.
    function execute(address to, bytes calldata call) external payable {
        (bool success, bytes memory result) = to.call{value: msg.value}(call);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }

    receive() external payable {
        _callBack();
    }
}
