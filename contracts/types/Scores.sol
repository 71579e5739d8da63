// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// A batch's scores, one signed 16-bit lane for each seat of the cohort (docs/encoding.md, "Scores").
type Scores is uint256;

// A revealed seat that no weighted signal speaks of: paid in full.
int16 constant UNSCORED = type(int16).min;
// A seat that revealed nothing.
int16 constant ABSENT = type(int16).min + 1;
// Lanes of one word; the uppermost 16 bits stay free.
uint256 constant MAX_COHORT = 15;

using ScoresLib for Scores global;

library ScoresLib {
    function lane(Scores self, uint256 index) internal pure returns (int16) {
        return int16(uint16(Scores.unwrap(self) >> (index * 16)));
    }

    /// The word with an empty lane `index` filled.
    function fill(Scores self, uint256 index, int16 score) internal pure returns (Scores) {
        return Scores.wrap(Scores.unwrap(self) | (uint256(uint16(score)) << (index * 16)));
    }

    function equals(Scores self, Scores other) internal pure returns (bool) {
        return Scores.unwrap(self) == Scores.unwrap(other);
    }
}
