// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BatchStatus} from "../types/BatchRecord.sol";
import {LifeView, Phase} from "../types/Life.sol";
import {Posting} from "../types/Posting.sol";
import {Scores} from "../types/Scores.sol";
import {SeatRecord} from "../types/SeatRecord.sol";
import {Terms} from "../types/Terms.sol";
import {IRandomness} from "./IRandomness.sol";
import {IReferee} from "./IReferee.sol";

/// A labeler's signed wish for seats (EIP-712, ERC-1271), carried by anyone.
struct SignedEnrolment {
    address labeler;
    uint256 seats;
    uint256 nonce; //    of the labeler's account in the campaign's token
    uint256 deadline; // unix time, still good then
    bytes proof; //      for the gate; not signed
    bytes signature;
}

/// A labeler's signed commitment (EIP-712, ERC-1271), carried by anyone.
struct SignedCommitment {
    uint256 seat;
    bytes32 commitment;
    uint256 revision; // commitments that the seat has had before
    uint256 deadline; // unix time, still good then
    bytes signature;
}

/// What is behind a commitment.
struct Opening {
    uint256 seat;
    bytes labels;
    bytes32 salt;
}

/// The protocol: docs/protocol.md tells it as a story, docs/encoding.md to the last bit.
interface IEarnest {
    // ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────

    error ZeroAddress();
    error WrongValue(uint256 value, uint256 required);
    error BalanceOverflow(address account, address token);
    error InsufficientBalance(address account, address token, uint256 balance, uint256 required);
    error EtherRefused(address receiver, uint256 amount);

    error CampaignExists(uint256 campaign);
    error SinkCannotExperiment(address sink);

    /// The phase that the campaign is in, and when that ends (0: not by itself).
    error WrongPhase(uint256 campaign, Phase phase, uint256 deadline);
    error NotAuthorized(address caller, address labeler);
    error LengthMismatch(uint256 left, uint256 right);

    error NoSeats();
    error CampaignFull(uint256 wanted, uint256 left);
    error NotAdmitted(address labeler);
    error SignatureExpired(uint256 deadline);
    error WrongNonce(address labeler, uint256 nonce, uint256 expected);
    error InvalidSignature(address signer);

    error DrawAlreadyRequested(uint256 ticket);
    error DrawNotRequested();
    error DrawNotReady(IRandomness.Status status);

    error NoSuchSeat(uint256 seat, uint256 seats);
    error InvalidCommitment(bytes32 commitment);
    error SeatDenounced(uint256 seat);
    error WrongRevision(uint256 seat, uint256 revision, uint256 expected);

    error WrongLabelCount(uint256 seat, uint256 count, uint256 required);
    error NotCommitted(uint256 seat);
    error AlreadyRevealed(uint256 seat);
    error WrongOpening(uint256 seat, bytes32 commitment);
    error OwnSeat(uint256 seat);

    error WrongAuditKey(bytes32 keyHash, bytes32 required);

    error NoSuchBatch(uint256 batch, uint256 batches);
    error InvalidScores(uint256 batch, uint256 scores);
    error NothingToPost();
    error TooManyPostings(uint256 most);
    error ScoresFinal(uint256 batch);
    error WrongLabels(uint256 seat);
    error WrongAuditRow(uint256 batch);

    error NotFinal(uint256 batch, uint256 finalAt);
    error BondNotDue(uint256 posting, uint256 dueAt);

    // ── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────

    event Deposited(address indexed account, address indexed token, uint256 amount, address from);
    event Withdrawn(address indexed account, address indexed token, uint256 amount, address to);
    event OperatorSet(address indexed labeler, address indexed operator, bool approved);
    event NonceUsed(address indexed labeler, address indexed token, uint256 nonce);

    event Created(uint256 indexed campaign, address indexed experimenter, Terms terms, string uri);
    event Enrolled(uint256 indexed campaign, address indexed labeler, uint256 firstSeat, uint256 seats);
    event DrawRequested(uint256 indexed campaign, uint256 ticket);
    event Drawn(uint256 indexed campaign, bytes32 seed, uint256 batches, uint256 refund);
    event SeatFreed(uint256 indexed campaign, uint256 indexed seat, address indexed labeler);
    event Cancelled(uint256 indexed campaign, uint256 refund);

    event Committed(uint256 indexed campaign, uint256 indexed seat, bytes32 commitment);
    event Denounced(uint256 indexed campaign, uint256 indexed seat, address indexed denouncer, bytes labels);
    event Revealed(uint256 indexed campaign, uint256 indexed seat, bytes labels);
    event Disclosed(uint256 indexed campaign, bytes32 key);

    event PostingOpened(uint256 indexed campaign, uint256 indexed posting, address indexed settler);
    event Posted(uint256 indexed campaign, uint256 indexed batch, uint256 posting, uint256 scores);
    event Refereed(uint256 indexed campaign, uint256 indexed batch, address indexed caller, uint256 scores);
    event PostingVoided(uint256 indexed campaign, uint256 indexed posting, address indexed challenger);
    event BondReturned(uint256 indexed campaign, uint256 indexed posting);

    /// `results` by lane: what the seat got on top of its stake, or (negative) lost of it.
    event Released(uint256 indexed campaign, uint256 indexed batch, int256[] results, uint256 refund, uint256 sunk);

    // ── Vault ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Puts money into `account`'s free balance. What arrives is credited: of a token that takes a fee on transfer, less
    /// than `amount`.
    /// @param token an ERC-20, or 0 for ether; then `msg.value` must be `amount`
    function deposit(address token, uint256 amount, address account) external payable;

    /// Sends free balance of the caller to `to`.
    function withdraw(address token, uint256 amount, address to) external;

    /// Lets `operator` enrol and commit for the caller, with the caller's balance; never withdraw. An operator can still lose
    /// all of that balance on purpose, and get half of it by denouncing: lend no more than you would entrust.
    function setOperator(address operator, bool approved) external;

    /// Uses up the caller's current nonce in `token`, so that an enrolment signed with it can no longer be carried.
    function useNonce(address token) external;

    // ── Enrolling ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Opens a campaign and escrows its bounties and fees from the caller's balance.
    /// @param uri where the manifest can be fetched
    /// @return campaign the hash of caller and terms
    function create(Terms calldata terms, string calldata uri) external returns (uint256 campaign);

    /// Takes seats for `labeler`, the caller or someone who made the caller their operator, and escrows their stakes.
    /// @param proof for the campaign's gate, if it has one
    function enroll(uint256 campaign, address labeler, uint256 seats, bytes calldata proof) external;

    /// Takes seats for labelers who signed for it. An enrolment whose nonce has been used meanwhile is passed over.
    function enrollSigned(uint256 campaign, SignedEnrolment[] calldata enrolments) external;

    // ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Asks the randomness source for the draw; again when an earlier ticket has expired.
    function requestDraw(uint256 campaign) external;

    /// Draws: fixes the seed, frees surplus seats, refunds undrawn batches.
    function draw(uint256 campaign) external;

    /// Gives the bounties of a cancelled campaign back, and the stakes of the seats named; a seat without a stake is
    /// passed over.
    function refund(uint256 campaign, uint256[] calldata seats) external;

    // ── Committing ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Fixes a seat's labels without showing them, or fixes others in their place.
    /// @param commitment the EIP-712 digest of `Opening(campaign, seat, labels, salt)`
    function commit(uint256 campaign, uint256 seat, bytes32 commitment) external;

    /// `commit` for labelers who signed for it. A commitment whose revision has been used, or whose seat has been
    /// denounced, meanwhile is passed over.
    function commitSigned(uint256 campaign, SignedCommitment[] calldata commitments) external;

    /// Shows that somebody else's labels are known before they may be: half of that seat's stake goes to the caller, the
    /// rest to the sink.
    function denounce(uint256 campaign, Opening calldata opening) external;

    // ── Revealing ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Opens a seat's commitment.
    function reveal(uint256 campaign, uint256 seat, bytes calldata labels, bytes32 salt) external;

    /// `reveal` for several seats. A seat opened meanwhile is passed over.
    function revealMany(uint256 campaign, Opening[] calldata openings) external;

    /// Opens the audit.
    function disclose(uint256 campaign, bytes32 key) external;

    // ── Settling ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Posts scores under one bond, taken from the caller's balance. Batches that hold scores already are passed over.
    /// @param scores packed by lane (docs/encoding.md, "Scores")
    /// @return posting its number within the campaign
    function post(uint256 campaign, uint256[] calldata batches, uint256[] calldata scores)
        external
        returns (uint256 posting);

    /// Has the chain compute a batch's scores and makes them final. If others had been posted, half of that posting's bond
    /// goes to the caller, the rest to the sink, and everything else of that posting that is not final is void.
    /// @param labels those of the revealed seats, by lane, one after another
    /// @param row the batch's audit row as published, enciphered; anything when there is no audit or no key
    /// @param proof that the row is under the audit root
    function referee(
        uint256 campaign,
        uint256 batch,
        bytes calldata labels,
        bytes calldata row,
        bytes32[] calldata proof
    ) external;

    /// Pays batches out whose scores are final. A batch released already is passed over.
    function release(uint256 campaign, uint256[] calldata batches) external;

    /// Gives a posting's bond back to its settler once the challenge period is over.
    function returnBond(uint256 campaign, uint256 posting) external;

    // ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────

    function RANDOMNESS() external view returns (IRandomness);
    function REFEREE() external view returns (IReferee);
    function SINK() external view returns (address);

    /// An account's free balance, and the nonce that its next signed enrolment must carry.
    function accountOf(address account, address token) external view returns (uint256 balance, uint256 nonce);
    function isOperator(address labeler, address operator) external view returns (bool);

    function termsOf(uint256 campaign) external view returns (address experimenter, Terms memory terms);

    /// The campaign as it stands now: phase, deadline, counters.
    function lifeOf(uint256 campaign) external view returns (LifeView memory);

    /// The draw's ticket once requested, the seed once drawn, the audit key once disclosed.
    function drawOf(uint256 campaign)
        external
        view
        returns (bool requested, uint256 ticket, bytes32 seed, bytes32 auditKey);

    /// A seat as stored: its labeler (0: not taken, or freed), its record, and how many commitments it has had.
    function seatOf(uint256 campaign, uint256 seat)
        external
        view
        returns (address labeler, SeatRecord record, uint256 revisions);

    /// A batch's standing: from when its scores are final (0: they are, or there are none), and the posting they came
    /// with (0: refereed).
    function batchOf(uint256 campaign, uint256 batch)
        external
        view
        returns (BatchStatus status, uint256 finalAt, Scores scores, uint256 posting);
    function postingOf(uint256 campaign, uint256 posting) external view returns (Posting memory);
}
