// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

enum PostingStatus {
    None,
    Standing, // its bond is locked
    Void, //     a batch of it was refereed otherwise: the bond is lost
    Closed //    the bond is back with the settler
}

/// The scores that one settler posted in one transaction, under one bond; one slot.
struct Posting {
    address settler;
    uint40 postedAt; //  unix time
    uint32 resting; //   batches that hold its scores and were not refereed
    PostingStatus status;
}
