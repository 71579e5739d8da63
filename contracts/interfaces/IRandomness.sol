// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// A source of a word that nobody can know when it is asked for.
interface IRandomness {
    enum Status {
        Pending,
        Ready,
        Expired
    }

    /// Fixes a draw whose outcome is still unknown, and returns the ticket to read it with.
    function request() external returns (uint256 ticket);

    /// The outcome of a ticket. `word` means something only when the status is `Ready`; it never changes once it is.
    /// An `Expired` ticket can never become ready: ask for another.
    function outcome(uint256 ticket) external view returns (Status status, bytes32 word);
}
