// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The EIP-712 structs that wallets sign or commit to (docs/encoding.md, "Typed data").
library TypedData {
    bytes32 private constant OPENING = keccak256("Opening(uint256 campaign,uint256 seat,bytes labels,bytes32 salt)");
    bytes32 private constant ENROLMENT =
        keccak256("Enrolment(uint256 campaign,address labeler,uint256 seats,uint256 nonce,uint256 deadline)");
    bytes32 private constant COMMITMENT =
        keccak256("Commitment(uint256 campaign,uint256 seat,bytes32 commitment,uint256 revision,uint256 deadline)");

    function opening(uint256 campaign, uint256 seat, bytes32 labelsHash, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(OPENING, campaign, seat, labelsHash, salt));
    }

    function enrolment(uint256 campaign, address labeler, uint256 seats, uint256 nonce, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ENROLMENT, campaign, labeler, seats, nonce, deadline));
    }

    function commitment(uint256 campaign, uint256 seat, bytes32 commitment_, uint256 revision, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(COMMITMENT, campaign, seat, commitment_, revision, deadline));
    }
}
