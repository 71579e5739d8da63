// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Periods} from "./Terms.sol";

/// The phases of a campaign, in order (design, section 7). `None` is a campaign that does not exist.
enum Phase {
    None,
    Enrolling,
    Drawing,
    Committing,
    Revealing,
    Auditing,
    Settling,
    Final,
    Cancelled
}

/// Everything about a campaign that moves while people act in it, in one storage slot.
struct Life {
    uint32 seats; //     offered; from the draw on, drawn
    uint32 taken; //     seats enrolled
    uint32 committed; // drawn seats with a commitment
    uint32 opened; //    commitments revealed or denounced
    uint32 scored; //    batches that hold scores, posted or refereed
    uint32 released; //  batches paid out
    uint40 deadline; //  of the phase as stored; in Settling, when the last posting's challenge period ends
    Phase phase; //      as of the last action; time may have carried it further, see `LifeLib.at`
    uint8 cohort; //     K
    uint8 flags; //      AUDITED | GATED
}

// Bits of `Life.flags`.
uint8 constant AUDITED = 1;
uint8 constant GATED = 2;

using LifeLib for Life global;

/// The phase machine: which phase follows which, and when.
library LifeLib {
    /// Carries a stored life forward to time `now_`: each phase begins where the one before it ended. The periods are
    /// read only where a phase ends, which spares most commits and reveals a slot.
    function at(Life memory life, Periods storage periods, uint256 now_) internal view {
        if (life.phase == Phase.Enrolling && now_ >= life.deadline) {
            if (life.taken < life.cohort) return life.end(Phase.Cancelled);
            life.enter(Phase.Drawing, life.deadline, periods.draw);
        }
        if (life.phase == Phase.Drawing && now_ >= life.deadline) return life.end(Phase.Cancelled);
        if (life.phase == Phase.Committing && now_ >= life.deadline) life.closeCommits(life.deadline, periods);
        if (life.phase == Phase.Revealing && now_ >= life.deadline) life.closeReveals(life.deadline, periods);
        if (life.phase == Phase.Auditing && now_ >= life.deadline) life.settle();
        if (life.phase == Phase.Settling && life.scored == life.batches() && now_ >= life.deadline) {
            life.end(Phase.Final);
        }
    }

    /// The commit phase ends at `time`; with nothing left to reveal the reveal phase is over too.
    function closeCommits(Life memory life, uint256 time, Periods storage periods) internal view {
        life.enter(Phase.Revealing, time, periods.reveal);
        if (life.opened == life.committed) life.closeReveals(time, periods);
    }

    /// The reveal phase ends at `time`.
    function closeReveals(Life memory life, uint256 time, Periods storage periods) internal view {
        if (life.flags & AUDITED != 0) life.enter(Phase.Auditing, time, periods.audit);
        else life.settle();
    }

    function settle(Life memory life) internal pure {
        life.phase = Phase.Settling;
        life.deadline = 0;
    }

    function enter(Life memory life, Phase phase, uint256 start, uint256 period) internal pure {
        life.phase = phase;
        // Fits: creation bounds `enrollBy` and the periods, and block times stay far below 2^40.
        unchecked {
            life.deadline = uint40(start + period);
        }
    }

    function end(Life memory life, Phase phase) internal pure {
        life.phase = phase;
        life.deadline = 0;
    }

    /// Batches drawn (before the draw: offered).
    function batches(Life memory life) internal pure returns (uint256) {
        return life.seats / life.cohort;
    }
}
