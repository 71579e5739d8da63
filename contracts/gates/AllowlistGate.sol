// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IGate} from "../interfaces/IGate.sol";

/// Admits the addresses under a Merkle root, each up to its own number of seats in a campaign.
///
/// The rule in a campaign's terms is the root; a leaf is `keccak256(keccak256(abi.encode(labeler, most)))` (the form of
/// OpenZeppelin's StandardMerkleTree); the proof is `abi.encode(most, siblings)`.
contract AllowlistGate is IGate {
    error TooManySeats(address labeler, uint256 wanted, uint256 most);

    /// Seats admitted so far. The asking contract is part of the key, so that nobody else can use a labeler's seats up.
    mapping(address asker => mapping(uint256 campaign => mapping(address labeler => uint256))) public admitted;

    /// @inheritdoc IGate
    function admit(uint256 campaign, bytes32 rule, address labeler, uint256 seats, bytes calldata proof)
        external
        returns (bool)
    {
        (uint256 most, bytes32[] memory siblings) = abi.decode(proof, (uint256, bytes32[]));
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(labeler, most))));
        if (!MerkleProof.verify(siblings, rule, leaf)) return false;
        uint256 wanted = admitted[msg.sender][campaign][labeler] + seats;
        require(wanted <= most, TooManySeats(labeler, wanted, most));

        admitted[msg.sender][campaign][labeler] = wanted;
        return true;
    }
}
