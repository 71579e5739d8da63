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

/// Everything about a campaign that moves while people act in it, in one word. From the lowest bit:
///
///     seats      32   offered; from the draw on, drawn
///     taken      32   seats enrolled
///     committed  32   drawn seats with a commitment
///     opened     32   commitments revealed or denounced
///     scored     32   batches that hold scores, posted or refereed
///     released   32   batches paid out
///     deadline   40   unix time at which the phase ends; in Settling, when the last posting's scores are final
///     phase       8   as of the last action; time may have carried it further, see `at`
///     cohort      8   K
///     flags       8   AUDITED, GATED
type Life is uint256;

/// A life as a client reads it.
struct LifeView {
    uint256 seats;
    uint256 taken;
    uint256 committed;
    uint256 opened;
    uint256 scored;
    uint256 released;
    uint256 deadline;
    Phase phase;
    uint256 cohort;
}

// One more of a counter, to be added with `plus`. Counters cannot spill: none exceeds `seats`, which fits.
uint256 constant TAKEN = 1 << 32;
uint256 constant COMMITTED = 1 << 64;
uint256 constant OPENED = 1 << 96;
uint256 constant SCORED = 1 << 128;
uint256 constant RELEASED = 1 << 160;

uint256 constant AUDITED = 1 << 248;
uint256 constant GATED = 1 << 249;

using LifeLib for Life global;

/// The phase machine: which phase follows which, and when.
library LifeLib {
    /// A campaign that begins to enrol.
    function begin(uint256 seats_, uint256 cohort_, uint256 enrollBy, bool audited, bool gated)
        internal
        pure
        returns (Life)
    {
        return Life.wrap(
            seats_ | (enrollBy << 192) | (uint256(Phase.Enrolling) << 232) | (cohort_ << 240)
                | (audited ? AUDITED : 0) | (gated ? GATED : 0)
        );
    }

    /// Carries a stored life forward to time `now_`: each phase begins where the one before it ended. The periods are
    /// read only where a phase ends, which spares most commits and reveals a slot.
    function at(Life life, Periods storage periods, uint256 now_) internal view returns (Life) {
        if (now_ < life.deadline()) return life;
        if (life.phase() == Phase.Enrolling) {
            life = life.taken() < life.cohort()
                ? life.enter(Phase.Cancelled, 0)
                : life.enter(Phase.Drawing, life.deadline() + periods.draw);
        }
        if (life.phase() == Phase.Drawing && now_ >= life.deadline()) life = life.enter(Phase.Cancelled, 0);
        if (life.phase() == Phase.Committing && now_ >= life.deadline()) {
            life = life.closeCommitting(life.deadline(), periods);
        }
        if (life.phase() == Phase.Revealing && now_ >= life.deadline()) {
            life = life.closeRevealing(life.deadline(), periods);
        }
        if (life.phase() == Phase.Auditing && now_ >= life.deadline()) life = life.enter(Phase.Settling, 0);
        if (life.phase() == Phase.Settling && life.scored() == life.batches()) {
            life = life.enter(Phase.Final, 0);
        }
        return life;
    }

    /// The commit phase ends at `time`; with nothing left to reveal the reveal phase is over too.
    function closeCommitting(Life life, uint256 time, Periods storage periods) internal view returns (Life) {
        if (life.opened() == life.committed()) return life.closeRevealing(time, periods);
        return life.enter(Phase.Revealing, time + periods.reveal);
    }

    /// The reveal phase ends at `time`.
    function closeRevealing(Life life, uint256 time, Periods storage periods) internal view returns (Life) {
        if (life.has(AUDITED)) return life.enter(Phase.Auditing, time + periods.audit);
        return life.enter(Phase.Settling, 0);
    }

    function enter(Life life, Phase phase_, uint256 deadline_) internal pure returns (Life) {
        return life.withPhase(phase_).withDeadline(deadline_);
    }

    function withPhase(Life life, Phase phase_) internal pure returns (Life) {
        return Life.wrap((Life.unwrap(life) & ~(uint256(0xff) << 232)) | (uint256(phase_) << 232));
    }

    /// Fits 40 bits: creation bounds `enrollBy` and the periods, and block times stay far below.
    function withDeadline(Life life, uint256 deadline_) internal pure returns (Life) {
        return Life.wrap((Life.unwrap(life) & ~(uint256(0xffffffffff) << 192)) | (deadline_ << 192));
    }

    function withSeats(Life life, uint256 seats_) internal pure returns (Life) {
        return Life.wrap((Life.unwrap(life) & ~uint256(0xffffffff)) | seats_);
    }

    /// `amount` more of a counter.
    function plus(Life life, uint256 counter, uint256 amount) internal pure returns (Life) {
        unchecked {
            return Life.wrap(Life.unwrap(life) + counter * amount);
        }
    }

    /// `amount` less of a counter.
    function minus(Life life, uint256 counter, uint256 amount) internal pure returns (Life) {
        unchecked {
            return Life.wrap(Life.unwrap(life) - counter * amount);
        }
    }

    function seats(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life));
    }

    function taken(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life) >> 32);
    }

    function committed(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life) >> 64);
    }

    function opened(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life) >> 96);
    }

    function scored(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life) >> 128);
    }

    function released(Life life) internal pure returns (uint256) {
        return uint32(Life.unwrap(life) >> 160);
    }

    function deadline(Life life) internal pure returns (uint256) {
        return uint40(Life.unwrap(life) >> 192);
    }

    function phase(Life life) internal pure returns (Phase) {
        return Phase(uint8(Life.unwrap(life) >> 232));
    }

    function cohort(Life life) internal pure returns (uint256) {
        return uint8(Life.unwrap(life) >> 240);
    }

    function has(Life life, uint256 flag) internal pure returns (bool) {
        return Life.unwrap(life) & flag != 0;
    }

    /// Batches drawn (before the draw: offered); 0 of a campaign that does not exist.
    function batches(Life life) internal pure returns (uint256 result) {
        // The EVM's division by 0 gives 0.
        assembly ("memory-safe") {
            result := div(and(life, 0xffffffff), and(shr(240, life), 0xff))
        }
    }

    function unpack(Life life) internal pure returns (LifeView memory) {
        return LifeView({
            seats: life.seats(),
            taken: life.taken(),
            committed: life.committed(),
            opened: life.opened(),
            scored: life.scored(),
            released: life.released(),
            deadline: life.deadline(),
            phase: life.phase(),
            cohort: life.cohort()
        });
    }
}
