// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// TEST DOUBLE, never to be deployed for use. Makes a call that was prepared, and tells how it went; a call that fails
/// does not stop the caller.
abstract contract CallerMock {
    event CalledBack(bool success, bytes result);

    address public target; // 0: nothing is called
    bytes public data;

    function setCallback(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _callBack() internal {
        if (target == address(0)) return;
        (bool success, bytes memory result) = target.call(data);
        emit CalledBack(success, result);
    }
}
