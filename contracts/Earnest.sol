// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IEarnest, Opening, SignedCommitment, SignedEnrolment} from "./interfaces/IEarnest.sol";
import {IGate} from "./interfaces/IGate.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {IReferee, Rubric} from "./interfaces/IReferee.sol";
import {AuditRow} from "./libraries/AuditRow.sol";
import {Draw} from "./libraries/Draw.sol";
import {Labels} from "./libraries/Labels.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {BatchRecord, BatchRecordLib, BatchStatus} from "./types/BatchRecord.sol";
import {AUDITED, GATED, Life, Phase} from "./types/Life.sol";
import {Payout} from "./types/Payout.sol";
import {Posting, PostingStatus} from "./types/Posting.sol";
import {Scores} from "./types/Scores.sol";
import {SeatRecord, SeatRecordLib} from "./types/SeatRecord.sol";
import {Terms} from "./types/Terms.sol";

/// EARNEST
///
/// ROLES. None. There is no owner, no proxy, no pause, no fee. Whoever may act is said by the campaign's terms and phase:
/// a labeler (or who signed for, or was made operator by, one) for enrolling and committing, everybody for the rest.
///
/// MONEY. `deposit` and `withdraw` alone move tokens and ether. Everything else moves entries of the ledger: a free
/// balance, or an amount locked behind a campaign, a seat or a posting. Locked amounts are not stored: they follow from
/// the terms and from what has been released. Tokens must not change balances by themselves (no rebasing).
///
/// TIME. Phases end early when everybody has acted, otherwise at their deadline; see `LifeLib`. What a phase allows is
/// checked against the time of the block.
///
/// ROUNDING. What is paid and refunded is rounded down, what is taken from a stake up; dust goes to the sink.
///
/// CALLS OUT. Tokens and receivers (deposit, withdraw), gates (enrolling) and ERC-1271 wallets (static) are hostile; the
/// functions that call the first three share one lock. The randomness source and the referee are fixed at deployment.
contract Earnest is IEarnest, EIP712, Multicall, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IEarnest
    IRandomness public immutable RANDOMNESS;
    /// @inheritdoc IEarnest
    IReferee public immutable REFEREE;
    /// @inheritdoc IEarnest
    address public immutable SINK;

    /// One slot. The nonce stands beside the balance since enrolling writes that slot anyway.
    struct Account {
        uint128 balance; // token units, free
        uint128 nonce; //   of signed enrolments
    }

    /// Two slots.
    struct Seat {
        address labeler;
        uint96 recommits; // commitments that replaced another
        SeatRecord record;
    }

    struct Campaign {
        Life life;
        Terms terms;
        // slot
        address experimenter;
        uint32 postings; //  opened so far
        bool requested; //   whether `ticket` means something
        // a slot each
        uint256 ticket;
        bytes32 seed; //     0 until the draw
        bytes32 auditKey; // 0 until disclosed
    }

    mapping(address account => mapping(address token => Account)) private accounts;
    mapping(address labeler => mapping(address operator => bool)) public isOperator;
    mapping(uint256 campaign => Campaign) private campaigns;
    mapping(uint256 campaign => mapping(uint256 seat => Seat)) private seats;
    mapping(uint256 campaign => mapping(uint256 batch => BatchRecord)) private batches;
    mapping(uint256 campaign => mapping(uint256 posting => Posting)) private postings;

    constructor(IRandomness randomness, IReferee referee_, address sink) EIP712("Earnest", "1") {
        require(
            address(randomness) != address(0) && address(referee_) != address(0) && sink != address(0), ZeroAddress()
        );

        RANDOMNESS = randomness;
        REFEREE = referee_;
        SINK = sink;
    }

    // ── Vault ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function deposit(address token, uint256 amount, address account) external payable nonReentrant {
        require(account != address(0), ZeroAddress());
        uint256 value = token == address(0) ? amount : 0;
        require(msg.value == value, WrongValue(msg.value, value));

        // The transfer comes first here: only after it is known what arrived.
        if (token != address(0)) {
            uint256 before = IERC20(token).balanceOf(address(this));
            IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
            amount = IERC20(token).balanceOf(address(this)) - before;
        }
        _credit(account, token, amount);

        emit Deposited(account, token, amount, msg.sender);
    }

    /// @inheritdoc IEarnest
    function withdraw(address token, uint256 amount, address to) external nonReentrant {
        require(to != address(0), ZeroAddress());

        _debit(msg.sender, token, amount);

        emit Withdrawn(msg.sender, token, amount, to);

        if (token == address(0)) {
            (bool sent,) = to.call{value: amount}("");
            require(sent, EtherRefused(to, amount));
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    /// @inheritdoc IEarnest
    function setOperator(address operator, bool approved) external {
        isOperator[msg.sender][operator] = approved;

        emit OperatorSet(msg.sender, operator, approved);
    }

    /// @inheritdoc IEarnest
    function useNonce(address token) external {
        uint256 nonce = accounts[msg.sender][token].nonce++;

        emit NonceUsed(msg.sender, token, nonce);
    }

    // ── Enrolling ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function create(Terms memory terms, string calldata uri) external returns (uint256 campaign) {
        require(msg.sender != SINK, SinkCannotExperiment(SINK));
        REFEREE.checkTerms(terms, block.timestamp);
        campaign = uint256(keccak256(abi.encode(msg.sender, terms)));
        Campaign storage c = campaigns[campaign];
        require(c.experimenter == address(0), CampaignExists(campaign));

        c.terms = terms;
        _debit(msg.sender, terms.token, _bountyOf(c.terms, terms.batches));
        c.experimenter = msg.sender;
        Life memory life;
        life.phase = Phase.Enrolling;
        life.deadline = terms.enrollBy;
        life.cohort = terms.cohort;
        life.seats = terms.batches * terms.cohort;
        life.flags = (terms.auditKeyHash != 0 ? AUDITED : 0) | (terms.gate != address(0) ? GATED : 0);
        _save(campaign, life);

        emit Created(campaign, msg.sender, terms, uri);
    }

    /// @inheritdoc IEarnest
    function enroll(uint256 campaign, address labeler, uint256 count, bytes calldata proof) external nonReentrant {
        _authorize(labeler);
        Life memory life = _expect(campaign, Phase.Enrolling);
        _admit(campaign, life, labeler, count, proof);

        _enroll(campaign, life, labeler, count);
        _closeEnrolling(campaign, life);
    }

    /// @inheritdoc IEarnest
    function enrollSigned(uint256 campaign, SignedEnrolment[] calldata enrolments) external nonReentrant {
        Life memory life = _expect(campaign, Phase.Enrolling);
        address token = campaigns[campaign].terms.token;
        for (uint256 i; i < enrolments.length; ++i) {
            SignedEnrolment calldata e = enrolments[i];
            Account storage account = accounts[e.labeler][token];
            uint256 nonce = account.nonce;
            if (e.nonce < nonce) continue;
            require(e.nonce == nonce, WrongNonce(e.labeler, e.nonce, nonce));
            _checkSignature(
                e.labeler,
                TypedData.enrolment(campaign, e.labeler, e.seats, e.nonce, e.deadline),
                e.deadline,
                e.signature
            );
            _admit(campaign, life, e.labeler, e.seats, e.proof);

            ++account.nonce;
            emit NonceUsed(e.labeler, token, nonce);
            _enroll(campaign, life, e.labeler, e.seats);
        }
        _closeEnrolling(campaign, life);
    }

    /// Asks the gate, if there is one. Whatever it calls back: the enrolling functions are locked, and no other changes a
    /// campaign that is still enrolling.
    function _admit(uint256 campaign, Life memory life, address labeler, uint256 count, bytes calldata proof) private {
        if (life.flags & GATED == 0) return;
        Terms storage terms = campaigns[campaign].terms;
        require(
            IGate(terms.gate).admit(campaign, terms.gateRule, labeler, count, proof), NotAdmitted(labeler)
        );
    }

    /// Seats `labeler` in memory of `life`, which the caller stores.
    function _enroll(uint256 campaign, Life memory life, address labeler, uint256 count) private {
        require(count != 0, NoSeats());
        uint256 first = life.taken;
        require(count <= life.seats - first, CampaignFull(count, life.seats - first));

        Terms storage terms = campaigns[campaign].terms;
        _debit(labeler, terms.token, terms.stake * count);
        for (uint256 seat = first; seat < first + count; ++seat) {
            seats[campaign][seat].labeler = labeler;
        }
        life.taken = uint32(first + count);

        emit Enrolled(campaign, labeler, first, count);
    }

    function _closeEnrolling(uint256 campaign, Life memory life) private {
        Campaign storage c = campaigns[campaign];
        if (life.taken == life.seats) life.enter(Phase.Drawing, block.timestamp, c.terms.periods.draw);
        _save(campaign, life);
    }

    // ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function requestDraw(uint256 campaign) external {
        _expect(campaign, Phase.Drawing);
        Campaign storage c = campaigns[campaign];
        if (c.requested) {
            (IRandomness.Status status,) = RANDOMNESS.outcome(c.ticket);
            require(status == IRandomness.Status.Expired, DrawAlreadyRequested(c.ticket));
        }

        uint256 ticket = RANDOMNESS.request();
        c.ticket = ticket;
        c.requested = true;

        emit DrawRequested(campaign, ticket);
    }

    /// @inheritdoc IEarnest
    function draw(uint256 campaign) external {
        Life memory life = _expect(campaign, Phase.Drawing);
        Campaign storage c = campaigns[campaign];
        require(c.requested, DrawNotReady(IRandomness.Status.Pending));
        (IRandomness.Status status, bytes32 word) = RANDOMNESS.outcome(c.ticket);
        require(status == IRandomness.Status.Ready, DrawNotReady(status));

        bytes32 seed = keccak256(abi.encode(word, campaign));
        c.seed = seed;
        uint256 offered = life.batches();
        uint256 drawn = life.taken / life.cohort;
        life.seats = uint32(drawn * life.cohort);
        life.enter(Phase.Committing, block.timestamp, c.terms.periods.commit);
        _save(campaign, life);
        uint256 undrawn = _bountyOf(c.terms, offered - drawn);
        _credit(c.experimenter, c.terms.token, undrawn);
        // At most one seat short of a cohort.
        for (uint256 seat = life.seats; seat < life.taken; ++seat) {
            _freeSeat(campaign, c.terms, seat);
        }

        emit Drawn(campaign, seed, drawn, undrawn);
    }

    /// @inheritdoc IEarnest
    function refund(uint256 campaign, uint256[] calldata which) external {
        Life memory life = _expect(campaign, Phase.Cancelled);
        Campaign storage c = campaigns[campaign];

        if (c.life.phase != Phase.Cancelled) {
            _save(campaign, life);
            uint256 bounty = _bountyOf(c.terms, life.batches());
            _credit(c.experimenter, c.terms.token, bounty);
            emit Cancelled(campaign, bounty);
        }
        for (uint256 i; i < which.length; ++i) {
            _freeSeat(campaign, c.terms, which[i]);
        }
    }

    /// Gives a seat's stake back, once: a freed seat has no labeler.
    function _freeSeat(uint256 campaign, Terms storage terms, uint256 seat) private {
        address labeler = seats[campaign][seat].labeler;
        if (labeler == address(0)) return;

        delete seats[campaign][seat].labeler;
        _credit(labeler, terms.token, terms.stake);

        emit SeatFreed(campaign, seat, labeler);
    }

    // ── Committing ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function commit(uint256 campaign, uint256 seat, bytes32 commitment) external {
        Life memory life = _expect(campaign, Phase.Committing);
        _authorize(_drawnSeat(campaign, life, seat).labeler);

        if (_commit(campaign, life, seat, commitment)) _closeCommitting(campaign, life);
    }

    /// @inheritdoc IEarnest
    function commitMany(uint256 campaign, uint256[] calldata which, bytes32[] calldata commitments) external {
        Life memory life = _expect(campaign, Phase.Committing);
        require(which.length == commitments.length, LengthMismatch(which.length, commitments.length));
        for (uint256 i; i < which.length; ++i) {
            _authorize(_drawnSeat(campaign, life, which[i]).labeler);

            _commit(campaign, life, which[i], commitments[i]);
        }
        _closeCommitting(campaign, life);
    }

    /// @inheritdoc IEarnest
    function commitSigned(uint256 campaign, SignedCommitment[] calldata commitments) external {
        Life memory life = _expect(campaign, Phase.Committing);
        for (uint256 i; i < commitments.length; ++i) {
            SignedCommitment calldata s = commitments[i];
            Seat storage own = _drawnSeat(campaign, life, s.seat);
            uint256 revisions = _revisions(own);
            if (s.revision < revisions) continue;
            require(s.revision == revisions, WrongRevision(s.seat, s.revision, revisions));
            _checkSignature(
                own.labeler,
                TypedData.commitment(campaign, s.seat, s.commitment, s.revision, s.deadline),
                s.deadline,
                s.signature
            );

            _commit(campaign, life, s.seat, s.commitment);
        }
        _closeCommitting(campaign, life);
    }

    /// Returns whether `life` changed: whether it is the seat's first commitment.
    function _commit(uint256 campaign, Life memory life, uint256 seat, bytes32 commitment) private returns (bool first) {
        Seat storage own = seats[campaign][seat];
        SeatRecord old = own.record;
        require(!old.isDenounced(), SeatDenounced(seat));
        SeatRecord record = SeatRecordLib.committed(commitment);
        require(!record.isEmpty(), InvalidCommitment(commitment));

        first = old.isEmpty();
        if (first) ++life.committed;
        else ++own.recommits;
        own.record = record;

        emit Committed(campaign, seat, commitment);
    }

    function _closeCommitting(uint256 campaign, Life memory life) private {
        Campaign storage c = campaigns[campaign];
        if (life.committed == life.seats) life.closeCommits(block.timestamp, c.terms.periods);
        _save(campaign, life);
    }

    /// @inheritdoc IEarnest
    function denounce(uint256 campaign, Opening calldata opening) external {
        Life memory life = _expect(campaign, Phase.Committing);
        Seat storage own = _drawnSeat(campaign, life, opening.seat);
        address labeler = own.labeler;
        require(msg.sender != labeler, OwnSeat(opening.seat));
        require(own.record.isCommitted(), NotCommitted(opening.seat));
        _checkOpening(campaign, own.record, opening.seat, keccak256(opening.labels), opening.salt);

        own.record = SeatRecordLib.DENOUNCED;
        ++life.opened;
        Campaign storage c = campaigns[campaign];
        _save(campaign, life);
        uint256 stake = c.terms.stake;
        _credit(msg.sender, c.terms.token, stake / 2);
        _credit(SINK, c.terms.token, stake - stake / 2);

        emit Denounced(campaign, opening.seat, msg.sender, opening.labels);
    }

    // ── Revealing ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function reveal(uint256 campaign, uint256 seat, bytes calldata labels, bytes32 salt) external {
        Life memory life = _expect(campaign, Phase.Revealing);
        SeatRecord record = _drawnSeat(campaign, life, seat).record;
        require(!record.isEmpty(), NotCommitted(seat));
        require(record.isCommitted(), AlreadyOpened(seat));

        _reveal(campaign, life, seat, labels, salt);
        _closeRevealing(campaign, life);
    }

    /// @inheritdoc IEarnest
    function revealMany(uint256 campaign, Opening[] calldata openings) external {
        Life memory life = _expect(campaign, Phase.Revealing);
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            SeatRecord record = _drawnSeat(campaign, life, opening.seat).record;
            require(!record.isEmpty(), NotCommitted(opening.seat));
            if (!record.isCommitted()) continue;

            _reveal(campaign, life, opening.seat, opening.labels, opening.salt);
        }
        _closeRevealing(campaign, life);
    }

    function _reveal(uint256 campaign, Life memory life, uint256 seat, bytes calldata labels, bytes32 salt) private {
        Terms storage terms = campaigns[campaign].terms;
        require(labels.length == terms.batchSize, WrongLabelCount(seat, labels.length, terms.batchSize));
        Labels.check(labels, Labels.size(terms.metric, terms.classes));
        Seat storage own = seats[campaign][seat];
        bytes32 labelsHash = keccak256(labels);
        _checkOpening(campaign, own.record, seat, labelsHash, salt);

        own.record = SeatRecordLib.revealed(labelsHash);
        ++life.opened;

        emit Revealed(campaign, seat, labels);
    }

    function _closeRevealing(uint256 campaign, Life memory life) private {
        Campaign storage c = campaigns[campaign];
        if (life.opened == life.committed) life.closeReveals(block.timestamp, c.terms.periods);
        _save(campaign, life);
    }

    /// @inheritdoc IEarnest
    function disclose(uint256 campaign, bytes32 key) external {
        Life memory life = _expect(campaign, Phase.Auditing);
        Campaign storage c = campaigns[campaign];
        bytes32 keyHash = keccak256(abi.encode(key));
        // The key 0 would read as undisclosed.
        require(keyHash == c.terms.auditKeyHash && key != 0, WrongAuditKey(keyHash, c.terms.auditKeyHash));

        c.auditKey = key;
        life.settle();
        _save(campaign, life);

        emit Disclosed(campaign, key);
    }

    // ── Settling ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function post(uint256 campaign, uint256[] calldata which, uint256[] calldata scores)
        external
        returns (uint256 posting)
    {
        Life memory life = _expect(campaign, Phase.Settling);
        require(which.length == scores.length, LengthMismatch(which.length, scores.length));
        Campaign storage c = campaigns[campaign];
        posting = c.postings + 1;
        require(posting <= BatchRecordLib.MAX_POSTING, TooManyPostings(BatchRecordLib.MAX_POSTING));

        emit PostingOpened(campaign, posting, msg.sender);
        uint256 count;
        for (uint256 i; i < which.length; ++i) {
            (BatchStatus status,) = _statusOf(campaign, life, which[i]);
            if (status != BatchStatus.Open) continue;
            require(scores[i] >> (16 * life.cohort) == 0, InvalidScores(which[i], scores[i]));
            batches[campaign][which[i]] =
                BatchRecordLib.pack(Scores.wrap(scores[i]), posting, BatchStatus.Posted);
            ++count;
            emit Posted(campaign, which[i], posting, scores[i]);
        }
        require(count != 0, NothingToPost());
        c.postings = uint32(posting);
        postings[campaign][posting] =
            Posting(msg.sender, uint40(block.timestamp), uint32(count), PostingStatus.Standing);
        _debit(msg.sender, c.terms.token, c.terms.bond);
        life.scored += uint32(count);
        life.deadline = uint40(block.timestamp + c.terms.periods.challenge);
        _save(campaign, life);
    }

    /// @inheritdoc IEarnest
    function referee(
        uint256 campaign,
        uint256 batch,
        bytes calldata labels,
        bytes calldata row,
        bytes32[] calldata proof
    ) external {
        Life memory life = _expect(campaign, Phase.Settling);
        (BatchStatus status, uint256 finalAt) = _statusOf(campaign, life, batch);
        bool open = status == BatchStatus.Open;
        require(open || (status == BatchStatus.Posted && block.timestamp < finalAt), ScoresFinal(batch));
        Scores scores = _score(campaign, life, batch, labels, row, proof);

        Terms storage terms = campaigns[campaign].terms;
        address settler = msg.sender;
        if (!open) {
            BatchRecord record = batches[campaign][batch];
            Posting storage posting = postings[campaign][record.posting()];
            if (record.scores().equals(scores)) {
                --posting.resting;
                settler = posting.settler;
            } else {
                life.scored -= posting.resting;
                open = true;
                _void(campaign, record.posting(), posting, terms);
            }
        }
        if (open) ++life.scored;
        _save(campaign, life);
        batches[campaign][batch] = BatchRecordLib.pack(scores, 0, BatchStatus.Refereed);
        _credit(settler, terms.token, terms.fee);

        emit Refereed(campaign, batch, msg.sender, Scores.unwrap(scores));
    }

    /// Splits the bond. If the challenger got all of it, a settler could post falsely, stall everyone, and save the bond
    /// at the last moment by refereeing itself.
    function _void(uint256 campaign, uint256 number, Posting storage posting, Terms storage terms) private {
        posting.status = PostingStatus.Void;
        uint256 bond = terms.bond;
        _credit(msg.sender, terms.token, bond / 2);
        _credit(SINK, terms.token, bond - bond / 2);

        emit PostingVoided(campaign, number, msg.sender, bond / 2);
    }

    /// What the referee says of a batch.
    function _score(
        uint256 campaign,
        Life memory life,
        uint256 batch,
        bytes calldata labels,
        bytes calldata row,
        bytes32[] calldata proof
    ) private view returns (Scores) {
        Campaign storage c = campaigns[campaign];
        uint256[] memory cohort = _cohort(campaign, life, batch);
        address[] memory labelers = new address[](cohort.length);
        uint256 size = c.terms.batchSize;
        uint256 end;
        for (uint256 lane; lane < cohort.length; ++lane) {
            Seat storage seat = seats[campaign][cohort[lane]];
            SeatRecord record = seat.record;
            if (!record.isRevealed()) continue;
            labelers[lane] = seat.labeler;
            uint256 start = end;
            end += size;
            require(
                end <= labels.length && record.equals(SeatRecordLib.revealed(keccak256(labels[start:end]))),
                WrongLabels(cohort[lane])
            );
        }
        require(labels.length == end, LengthMismatch(labels.length, end));

        bytes memory clear;
        if (c.auditKey != 0) {
            bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(batch, row))));
            require(MerkleProof.verifyCalldata(proof, c.terms.auditRoot, leaf), WrongAuditRow(batch));
            clear = AuditRow.decipher(row, c.auditKey, batch);
        }
        return REFEREE.score(_rubric(c.terms), labelers, labels, clear);
    }

    /// @inheritdoc IEarnest
    function release(uint256 campaign, uint256[] calldata which) external {
        Campaign storage c = campaigns[campaign];
        Life memory life = _now(campaign);
        if (life.phase != Phase.Settling && life.phase != Phase.Final) {
            _rejectPhase(campaign, life.phase, Phase.Settling);
        }

        address token = c.terms.token;
        uint256 refunded;
        uint256 sunk;
        uint32 count;
        for (uint256 i; i < which.length; ++i) {
            (BatchStatus status, uint256 finalAt) = _statusOf(campaign, life, which[i]);
            if (status == BatchStatus.Released) continue;
            require(status != BatchStatus.Open && block.timestamp >= finalAt, NotFinal(which[i], finalAt));
            Payout memory payout = _release(campaign, life, which[i]);
            refunded += payout.refund;
            sunk += payout.sunk;
            ++count;
        }
        c.life.released += count;
        _credit(c.experimenter, token, refunded);
        _credit(SINK, token, sunk);
    }

    /// Pays a batch out, but for what its payout gives to experimenter and sink.
    function _release(uint256 campaign, Life memory life, uint256 batch) private returns (Payout memory payout) {
        BatchRecord record = batches[campaign][batch];
        Terms storage terms = campaigns[campaign].terms;
        address token = terms.token;
        uint256 stake = terms.stake;
        uint256[] memory cohort = _cohort(campaign, life, batch);
        SeatRecord[] memory records = _records(campaign, cohort);
        payout = Payouts.compute(terms.curve, terms.bounty, stake, record.scores(), records);

        batches[campaign][batch] = BatchRecordLib.pack(record.scores(), record.posting(), BatchStatus.Released);
        for (uint256 lane; lane < cohort.length; ++lane) {
            // A denounced seat's stake is gone.
            if (records[lane].isDenounced()) continue;
            // No loss exceeds the stake: `maxSlash` and `forfeit` are at most one half.
            uint256 due = uint256(int256(stake) + payout.results[lane]);
            _credit(seats[campaign][cohort[lane]].labeler, token, due);
        }
        // The fee of a refereed batch is paid already.
        if (record.status() == BatchStatus.Posted) {
            _credit(postings[campaign][record.posting()].settler, token, terms.fee);
        }

        emit Released(campaign, batch, payout.results, payout.refund, payout.sunk);
    }

    /// @inheritdoc IEarnest
    function returnBond(uint256 campaign, uint256 number) external {
        Posting storage posting = postings[campaign][number];
        Terms storage terms = campaigns[campaign].terms;
        uint256 dueAt = uint256(posting.postedAt) + terms.periods.challenge;
        require(
            posting.status == PostingStatus.Standing && block.timestamp >= dueAt, BondNotDue(number, dueAt)
        );

        posting.status = PostingStatus.Closed;
        _credit(posting.settler, terms.token, terms.bond);

        emit BondReturned(campaign, number);
    }

    // ── Ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function _credit(address account, address token, uint256 amount) private {
        if (amount == 0) return;
        Account storage entry = accounts[account][token];
        uint256 balance = entry.balance + amount;
        require(balance <= type(uint128).max, BalanceOverflow(account, token));

        entry.balance = uint128(balance);
    }

    function _debit(address account, address token, uint256 amount) private {
        if (amount == 0) return;
        Account storage entry = accounts[account][token];
        uint256 balance = entry.balance;
        require(balance >= amount, InsufficientBalance(account, token, balance, amount));

        entry.balance = uint128(balance - amount);
    }

    // ── Common ground ───────────────────────────────────────────────────────────────────────────────────────────────

    /// The campaign's life at this moment.
    function _now(uint256 campaign) private view returns (Life memory life) {
        Campaign storage c = campaigns[campaign];
        life = c.life;
        life.at(c.terms.periods, block.timestamp);
    }

    function _save(uint256 campaign, Life memory life) private {
        campaigns[campaign].life = life;
    }

    function _expect(uint256 campaign, Phase required) private view returns (Life memory life) {
        life = _now(campaign);
        if (life.phase != required) _rejectPhase(campaign, life.phase, required);
    }

    function _rejectPhase(uint256 campaign, Phase phase, Phase required) private pure {
        revert WrongPhase(campaign, phase, required);
    }

    function _authorize(address labeler) private view {
        require(msg.sender == labeler || isOperator[labeler][msg.sender], NotAuthorized(msg.sender, labeler));
    }

    /// A key's signature, or a contract wallet's (ERC-1271). The key goes first: it spares looking for code, and an
    /// account that delegates to code (EIP-7702) keeps its key.
    function _checkSignature(address signer, bytes32 structHash, uint256 deadline, bytes calldata signature)
        private
        view
    {
        require(block.timestamp <= deadline, SignatureExpired(deadline));
        bytes32 digest = _hashTypedDataV4(structHash);
        (address recovered, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == signer) return;
        require(
            SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature), InvalidSignature(signer)
        );
    }

    function _drawnSeat(uint256 campaign, Life memory life, uint256 seat) private view returns (Seat storage) {
        require(seat < life.seats, NoSuchSeat(seat, life.seats));
        return seats[campaign][seat];
    }

    function _revisions(Seat storage seat) private view returns (uint256) {
        return seat.record.isEmpty() ? 0 : uint256(seat.recommits) + 1;
    }

    function _checkOpening(uint256 campaign, SeatRecord record, uint256 seat, bytes32 labelsHash, bytes32 salt)
        private
        view
    {
        bytes32 commitment = _hashTypedDataV4(TypedData.opening(campaign, seat, labelsHash, salt));
        require(record.equals(SeatRecordLib.committed(commitment)), WrongOpening(seat, commitment));
    }

    /// How far a batch has come, and when its scores are final. Scores of a void posting are none.
    function _statusOf(uint256 campaign, Life memory life, uint256 batch)
        private
        view
        returns (BatchStatus status, uint256 finalAt)
    {
        require(batch < life.batches(), NoSuchBatch(batch, life.batches()));
        BatchRecord record = batches[campaign][batch];
        status = record.status();
        if (status == BatchStatus.Posted) {
            Posting storage posting = postings[campaign][record.posting()];
            if (posting.status == PostingStatus.Void) return (BatchStatus.Open, 0);
            finalAt = uint256(posting.postedAt) + campaigns[campaign].terms.periods.challenge;
        }
    }

    /// The seats of a drawn batch, by lane.
    function _cohort(uint256 campaign, Life memory life, uint256 batch) private view returns (uint256[] memory cohort) {
        bytes32 seed = campaigns[campaign].seed;
        uint256 drawn = life.batches();
        cohort = new uint256[](life.cohort);
        for (uint256 lane; lane < cohort.length; ++lane) {
            cohort[lane] = Draw.seatOf(seed, drawn, batch, lane);
        }
    }

    function _records(uint256 campaign, uint256[] memory cohort) private view returns (SeatRecord[] memory records) {
        records = new SeatRecord[](cohort.length);
        for (uint256 lane; lane < cohort.length; ++lane) {
            records[lane] = seats[campaign][cohort[lane]].record;
        }
    }

    function _rubric(Terms storage terms) private view returns (Rubric memory) {
        return Rubric(terms.metric, terms.classes, terms.batchSize, terms.auditKeyHash != 0, terms.weights);
    }

    /// Bounties and fees of `count` batches.
    function _bountyOf(Terms storage terms, uint256 count) private view returns (uint256) {
        return (uint256(terms.bounty) + terms.fee) * count;
    }

    // ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function balanceOf(address account, address token) external view returns (uint256) {
        return accounts[account][token].balance;
    }

    /// @inheritdoc IEarnest
    function nonceOf(address account, address token) external view returns (uint256) {
        return accounts[account][token].nonce;
    }

    /// @inheritdoc IEarnest
    function termsOf(uint256 campaign) external view returns (Terms memory) {
        return campaigns[campaign].terms;
    }

    /// @inheritdoc IEarnest
    function experimenterOf(uint256 campaign) external view returns (address) {
        return campaigns[campaign].experimenter;
    }

    /// @inheritdoc IEarnest
    function lifeOf(uint256 campaign) external view returns (Life memory) {
        return _now(campaign);
    }

    /// @inheritdoc IEarnest
    function secretsOf(uint256 campaign) external view returns (bytes32 seed, bytes32 auditKey) {
        return (campaigns[campaign].seed, campaigns[campaign].auditKey);
    }

    /// @inheritdoc IEarnest
    function seatOf(uint256 campaign, uint256 seat)
        external
        view
        returns (address labeler, SeatRecord record, uint256 revisions)
    {
        Seat storage own = seats[campaign][seat];
        return (own.labeler, own.record, _revisions(own));
    }

    /// @inheritdoc IEarnest
    function batchOf(uint256 campaign, uint256 batch)
        external
        view
        returns (BatchStatus status, uint256 finalAt, Scores scores, uint256 posting)
    {
        (status, finalAt) = _statusOf(campaign, _now(campaign), batch);
        if (status != BatchStatus.Open) {
            BatchRecord record = batches[campaign][batch];
            (scores, posting) = (record.scores(), record.posting());
        }
    }

    /// @inheritdoc IEarnest
    function postingOf(uint256 campaign, uint256 number) external view returns (Posting memory) {
        return postings[campaign][number];
    }
}
