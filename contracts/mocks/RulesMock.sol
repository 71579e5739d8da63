// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {AuditTree} from "../libraries/AuditTree.sol";
import {Draw} from "../libraries/Draw.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {SeatRecord, SeatRecordLib} from "../types/SeatRecord.sol";

/// Opens what `Earnest` uses inside to comparisons with its Python copy: draw, typed data, seat records, audit trees.
contract RulesMock is EIP712("Earnest", "1") {
    /// π_round and its inverse, of all of [0, size).
    function permutation(bytes32 seed, uint256 round, uint256 size)
        external
        pure
        returns (uint256[] memory forth, uint256[] memory back)
    {
        forth = new uint256[](size);
        back = new uint256[](size);
        for (uint256 i; i < size; ++i) {
            forth[i] = Draw.permute(seed, round, size, i);
            back[i] = Draw.invert(seed, round, size, i);
        }
    }

    function batchesOf(bytes32 seed, uint256 batches, uint256[] calldata seats)
        external
        pure
        returns (uint256[] memory found)
    {
        found = new uint256[](seats.length);
        for (uint256 i; i < seats.length; ++i) {
            found[i] = Draw.batchOf(seed, batches, seats[i]);
        }
    }

    function cohortOf(bytes32 seed, uint256 batches, uint256 batch, uint256 cohort)
        external
        pure
        returns (uint256[] memory seats)
    {
        seats = new uint256[](cohort);
        for (uint256 lane; lane < cohort; ++lane) {
            seats[lane] = Draw.seatOf(seed, batches, batch, lane);
        }
    }

    function openingDigest(uint256 campaign, uint256 seat, bytes calldata labels, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(TypedData.opening(campaign, seat, keccak256(labels), salt));
    }

    function enrolmentDigest(uint256 campaign, address labeler, uint256 seats, uint256 nonce, uint256 deadline)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(TypedData.enrolment(campaign, labeler, seats, nonce, deadline));
    }

    function commitmentDigest(uint256 campaign, uint256 seat, bytes32 commitment, uint256 revision, uint256 deadline)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(TypedData.commitment(campaign, seat, commitment, revision, deadline));
    }

    function committed(bytes32 commitment) external pure returns (SeatRecord) {
        return SeatRecordLib.committed(commitment);
    }

    function revealed(bytes calldata labels) external pure returns (SeatRecord) {
        return SeatRecordLib.revealed(keccak256(labels));
    }

    function verify(bytes32[] calldata proof, bytes32 root, bytes calldata row, uint256 batch, uint256 batches)
        external
        pure
        returns (bool)
    {
        return AuditTree.verify(proof, root, row, batch, batches);
    }
}
