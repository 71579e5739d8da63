// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What a label's byte means, and how far apart two bytes are (docs/encoding.md, "Labels").
enum Metric {
    Nominal,
    Interval,
    Ranking
}

/// Seconds that each phase may last at most.
struct Periods {
    uint32 draw;
    uint32 commit;
    uint32 reveal;
    uint32 audit;
    uint32 challenge;
}

/// What a score pays and costs. Scores are in basis points, −10,000 … 10,000.
struct Curve {
    int16 slashFull; //  at or below it, the largest slash
    int16 slashFrom; //  below it, a slash
    int16 payFrom; //    above it, pay
    int16 payFull; //    at or above it, full pay
    int16 floor; //      a cohort whose median score is below it slashes nobody
    uint16 maxSlash; //  basis points of the stake
    uint16 forfeit; //   basis points of the stake
}

/// How much each signal counts in a score, relative to the others.
struct Weights {
    uint16 peers;
    uint16 gold;
    uint16 repeats;
}

/// What a campaign promises. Money is in the token's smallest unit. The order packs what is read together: enrolling
/// reads the first slot, a reveal the second.
struct Terms {
    address token; //         ERC-20, or 0 for ether
    uint96 stake; //          a seat
    // slot
    uint96 bounty; //         a batch
    uint96 fee; //            a batch, to whoever settles it
    uint16 batchSize; //      B, positions of a batch
    uint8 cohort; //          K, seats of a batch
    Metric metric;
    uint8 classes; //         classes, levels, or items to rank
    // slot
    uint96 bond; //           a posting
    uint32 batches; //        offered
    uint40 enrollBy; //       unix time
    // a slot each
    Curve curve;
    Weights weights;
    Periods periods;
    address gate; //          0: open to all
    bytes32 gateRule; //      what the gate goes by, e.g. a Merkle root
    bytes32 auditRoot; //     of the enciphered audit rows; 0: no audit
    bytes32 auditKeyHash; //  keccak256 of the audit key; 0: no audit
    bytes32 manifest; //      SHA-256 of the manifest
}
