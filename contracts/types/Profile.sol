// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// A label string made ready for comparing with many others. What `words`, `counts` and the sums hold is the metric's
/// own: see `Nominal`, `Interval` and `Ranking`.
struct Profile {
    uint256 n; //              labels that count; the others are 0
    bytes labels; //           the string itself, zero-padded to whole words
    uint256[] words; //        the labels packed or expanded into lanes,
    uint256 high; //           of which these are the highest bits (Nominal)
    uint256[] mirrored; //     `words` (Interval) or `counts` (others) with the lanes of each word in reverse order
    uint256[] counts; //       how often each class, or each order of a pair, occurs
    uint256 sum;
    uint256 squares;
}
