// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What the chain knows of a seat's labels, in one word (docs/encoding.md, "Seat record"). The lowest bit tells a
/// commitment (0) from what has been opened (1), so that a reveal overwrites a slot instead of filling a second one.
type SeatRecord is bytes32;

using SeatRecordLib for SeatRecord global;

library SeatRecordLib {
    SeatRecord internal constant DENOUNCED = SeatRecord.wrap(bytes32(uint256(1)));
    bytes32 private constant OPENED = bytes32(uint256(1));

    function committed(bytes32 commitment) internal pure returns (SeatRecord) {
        return SeatRecord.wrap(commitment & ~OPENED);
    }

    function revealed(bytes32 labelsHash) internal pure returns (SeatRecord) {
        return SeatRecord.wrap(labelsHash | OPENED);
    }

    function isEmpty(SeatRecord self) internal pure returns (bool) {
        return SeatRecord.unwrap(self) == 0;
    }

    function isCommitted(SeatRecord self) internal pure returns (bool) {
        return !self.isEmpty() && SeatRecord.unwrap(self) & OPENED == 0;
    }

    function isDenounced(SeatRecord self) internal pure returns (bool) {
        return self.equals(DENOUNCED);
    }

    function isRevealed(SeatRecord self) internal pure returns (bool) {
        return SeatRecord.unwrap(self) & OPENED != 0 && !self.isDenounced();
    }

    function equals(SeatRecord self, SeatRecord other) internal pure returns (bool) {
        return SeatRecord.unwrap(self) == SeatRecord.unwrap(other);
    }
}
