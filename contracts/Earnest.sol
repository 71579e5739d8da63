// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IEarnest, Opening, SignedCommitment, SignedEnrolment} from "./interfaces/IEarnest.sol";
import {IGate} from "./interfaces/IGate.sol";
import {IRandomness} from "./interfaces/IRandomness.sol";
import {IReferee, Rubric} from "./interfaces/IReferee.sol";
import {AuditTree} from "./libraries/AuditTree.sol";
import {Draw} from "./libraries/Draw.sol";
import {Labels} from "./libraries/Labels.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {BatchRecord, BatchRecordLib, BatchStatus} from "./types/BatchRecord.sol";
import {AUDITED, COMMITTED, GATED, Life, LifeLib, LifeView, OPENED, Phase, RELEASED, SCORED, TAKEN} from "./types/Life.sol";
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
        uint32 posted; //    postings so far
        bool requested; //   whether `ticket` means something
        // a slot each
        uint256 ticket;
        bytes32 seed; //     0 until the draw
        bytes32 auditKey; // 0 until disclosed
        mapping(uint256 seat => Seat) seats;
        mapping(uint256 batch => BatchRecord) batches;
        mapping(uint256 posting => Posting) postings;
    }

    mapping(address account => mapping(address token => Account)) private accounts;
    mapping(address labeler => mapping(address operator => bool)) public isOperator;
    mapping(uint256 campaign => Campaign) private campaigns;

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
            uint256 held = IERC20(token).balanceOf(address(this));
            // Checked where money enters, so that no credit can fail later: accounts cannot exceed what is held.
            require(held <= type(uint128).max, BalanceOverflow(account, token));
            amount = held - before;
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
        _useNonce(msg.sender, token);
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
        c.experimenter = msg.sender;
        c.life = LifeLib.begin(
            uint256(terms.batches) * terms.cohort,
            terms.cohort,
            terms.enrollBy,
            terms.auditKeyHash != 0,
            terms.gate != address(0)
        );
        _debit(msg.sender, terms.token, _bountyOf(c.terms, terms.batches));

        emit Created(campaign, msg.sender, terms, uri);
    }

    /// @inheritdoc IEarnest
    function enroll(uint256 campaign, address labeler, uint256 count, bytes calldata proof) external nonReentrant {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Enrolling);
        _authorize(labeler);

        _closeEnrolling(c, _enroll(campaign, c, life, labeler, count, proof));
    }

    /// @inheritdoc IEarnest
    // slither-disable-next-line reentrancy-no-eth (the gate is called under the lock; see `_enroll`)
    function enrollSigned(uint256 campaign, SignedEnrolment[] calldata enrolments) external nonReentrant {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Enrolling);
        address token = c.terms.token;
        for (uint256 i; i < enrolments.length; ++i) {
            SignedEnrolment calldata e = enrolments[i];
            uint256 nonce = accounts[e.labeler][token].nonce;
            if (e.nonce < nonce) continue;
            require(e.nonce == nonce, WrongNonce(e.labeler, e.nonce, nonce));
            _checkSignature(
                e.labeler,
                TypedData.enrolment(campaign, e.labeler, e.seats, e.nonce, e.deadline),
                e.deadline,
                e.signature
            );

            _useNonce(e.labeler, token);
            life = _enroll(campaign, c, life, e.labeler, e.seats, e.proof);
        }
        _closeEnrolling(c, life);
    }

    /// Seats `labeler` in the life returned, which the caller stores.
    function _enroll(
        uint256 campaign,
        Campaign storage c,
        Life life,
        address labeler,
        uint256 count,
        bytes calldata proof
    ) private returns (Life) {
        require(count != 0, NoSeats());
        uint256 first = life.taken();
        uint256 left = life.seats() - first;
        require(count <= left, CampaignFull(count, left));
        // Whatever a gate calls back: the enrolling functions are locked, and no other changes a campaign that enrols.
        require(
            !life.has(GATED) || IGate(c.terms.gate).admit(campaign, c.terms.gateRule, labeler, count, proof),
            NotAdmitted(labeler)
        );

        // A stake is below 2^96, a count at most 2^32.
        unchecked {
            _debit(labeler, c.terms.token, c.terms.stake * count);
            for (uint256 seat = first; seat < first + count; ++seat) {
                c.seats[seat].labeler = labeler;
            }
        }

        emit Enrolled(campaign, labeler, first, count);
        return life.plus(TAKEN, count);
    }

    function _closeEnrolling(Campaign storage c, Life life) private {
        if (life.taken() == life.seats()) life = life.enter(Phase.Drawing, block.timestamp + c.terms.periods.draw);
        c.life = life;
    }

    // ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function requestDraw(uint256 campaign) external {
        (Campaign storage c,) = _expect(campaign, Phase.Drawing);
        uint256 ticket = c.ticket;
        if (c.requested) {
            (IRandomness.Status status,) = RANDOMNESS.outcome(ticket);
            require(status == IRandomness.Status.Expired, DrawAlreadyRequested(ticket));
        }

        ticket = RANDOMNESS.request();
        c.ticket = ticket;
        c.requested = true;

        emit DrawRequested(campaign, ticket);
    }

    /// @inheritdoc IEarnest
    function draw(uint256 campaign) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Drawing);
        require(c.requested, DrawNotRequested());
        (IRandomness.Status status, bytes32 word) = RANDOMNESS.outcome(c.ticket);
        require(status == IRandomness.Status.Ready, DrawNotReady(status));

        bytes32 seed = keccak256(abi.encode(word, campaign));
        uint256 taken = life.taken();
        uint256 drawn = taken / life.cohort();
        uint256 seated = taken - (taken % life.cohort());
        c.seed = seed;
        c.life = life.withSeats(seated).enter(Phase.Committing, block.timestamp + c.terms.periods.commit);
        uint256 refunded = _bountyOf(c.terms, life.batches() - drawn);
        _credit(c.experimenter, c.terms.token, refunded);
        // At most one seat short of a cohort.
        for (uint256 seat = seated; seat < taken; ++seat) {
            _freeSeat(campaign, c, seat);
        }

        emit Drawn(campaign, seed, drawn, refunded);
    }

    /// @inheritdoc IEarnest
    function refund(uint256 campaign, uint256[] calldata seats) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Cancelled);

        if (c.life.phase() != Phase.Cancelled) {
            c.life = life;
            uint256 bounty = _bountyOf(c.terms, life.batches());
            _credit(c.experimenter, c.terms.token, bounty);
            emit Cancelled(campaign, bounty);
        }
        for (uint256 i; i < seats.length; ++i) {
            _freeSeat(campaign, c, seats[i]);
        }
    }

    /// Gives a seat's stake back, once: a freed seat has no labeler.
    function _freeSeat(uint256 campaign, Campaign storage c, uint256 seat) private {
        address labeler = c.seats[seat].labeler;
        if (labeler == address(0)) return;

        delete c.seats[seat].labeler;
        _credit(labeler, c.terms.token, c.terms.stake);

        emit SeatFreed(campaign, seat, labeler);
    }

    // ── Committing ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function commit(uint256 campaign, uint256 seat, bytes32 commitment) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Committing);
        Seat storage own = _drawnSeat(c, life, seat);
        _authorize(own.labeler);

        _closeCommitting(c, life, _commit(campaign, life, own, seat, commitment));
    }

    /// @inheritdoc IEarnest
    function commitSigned(uint256 campaign, SignedCommitment[] calldata commitments) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Committing);
        Life next = life;
        for (uint256 i; i < commitments.length; ++i) {
            SignedCommitment calldata s = commitments[i];
            Seat storage own = _drawnSeat(c, life, s.seat);
            uint256 revisions = _revisions(own);
            if (s.revision < revisions || own.record.isDenounced()) continue;
            require(s.revision == revisions, WrongRevision(s.seat, s.revision, revisions));
            _checkSignature(
                own.labeler,
                TypedData.commitment(campaign, s.seat, s.commitment, s.revision, s.deadline),
                s.deadline,
                s.signature
            );

            next = _commit(campaign, next, own, s.seat, s.commitment);
        }
        _closeCommitting(c, life, next);
    }

    /// Returns the life after it, which differs at a seat's first commitment.
    function _commit(uint256 campaign, Life life, Seat storage own, uint256 seat, bytes32 commitment)
        private
        returns (Life)
    {
        SeatRecord old = own.record;
        require(!old.isDenounced(), SeatDenounced(seat));
        SeatRecord record = SeatRecordLib.committed(commitment);
        require(!record.isEmpty(), InvalidCommitment(commitment));

        own.record = record;
        if (old.isEmpty()) life = life.plus(COMMITTED, 1);
        else ++own.recommits;

        emit Committed(campaign, seat, commitment);
        return life;
    }

    function _closeCommitting(Campaign storage c, Life life, Life next) private {
        if (life.committed() == next.committed()) return;
        if (next.committed() == next.seats()) next = next.closeCommitting(block.timestamp, c.terms.periods);
        c.life = next;
    }

    /// @inheritdoc IEarnest
    function denounce(uint256 campaign, Opening calldata opening) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Committing);
        Seat storage own = _drawnSeat(c, life, opening.seat);
        require(msg.sender != own.labeler, OwnSeat(opening.seat));
        require(own.record.isCommitted(), NotCommitted(opening.seat));
        _checkOpening(campaign, own.record, opening.seat, keccak256(opening.labels), opening.salt);

        own.record = SeatRecordLib.DENOUNCED;
        c.life = life.plus(OPENED, 1);
        _split(c.terms.token, c.terms.stake);

        emit Denounced(campaign, opening.seat, msg.sender, opening.labels);
    }

    // ── Revealing ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function reveal(uint256 campaign, uint256 seat, bytes calldata labels, bytes32 salt) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Revealing);
        Seat storage own = _drawnSeat(c, life, seat);
        require(!own.record.isRevealed(), AlreadyRevealed(seat));

        _closeRevealing(c, _reveal(campaign, c, life, own, seat, labels, salt));
    }

    /// @inheritdoc IEarnest
    function revealMany(uint256 campaign, Opening[] calldata openings) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Revealing);
        for (uint256 i; i < openings.length; ++i) {
            Opening calldata opening = openings[i];
            Seat storage own = _drawnSeat(c, life, opening.seat);
            if (own.record.isRevealed()) continue;

            life = _reveal(campaign, c, life, own, opening.seat, opening.labels, opening.salt);
        }
        _closeRevealing(c, life);
    }

    function _reveal(
        uint256 campaign,
        Campaign storage c,
        Life life,
        Seat storage own,
        uint256 seat,
        bytes calldata labels,
        bytes32 salt
    ) private returns (Life) {
        SeatRecord record = own.record;
        require(record.isCommitted(), NotCommitted(seat));
        uint256 size = c.terms.batchSize;
        require(labels.length == size, WrongLabelCount(seat, labels.length, size));
        Labels.check(labels, Labels.size(c.terms.metric, c.terms.classes));
        bytes32 labelsHash = keccak256(labels);
        _checkOpening(campaign, record, seat, labelsHash, salt);

        own.record = SeatRecordLib.revealed(labelsHash);

        emit Revealed(campaign, seat, labels);
        return life.plus(OPENED, 1);
    }

    function _closeRevealing(Campaign storage c, Life life) private {
        if (life.opened() == life.committed()) life = life.closeRevealing(block.timestamp, c.terms.periods);
        c.life = life;
    }

    /// @inheritdoc IEarnest
    function disclose(uint256 campaign, bytes32 key) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Auditing);
        bytes32 keyHash = keccak256(abi.encode(key));
        // The key 0 would read as undisclosed.
        require(keyHash == c.terms.auditKeyHash && key != 0, WrongAuditKey(keyHash, c.terms.auditKeyHash));

        c.auditKey = key;
        c.life = life.enter(Phase.Settling, 0);

        emit Disclosed(campaign, key);
    }

    // ── Settling ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function post(uint256 campaign, uint256[] calldata batches, uint256[] calldata scores)
        external
        returns (uint256 number)
    {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Settling);
        require(batches.length == scores.length, LengthMismatch(batches.length, scores.length));
        number = c.posted + uint256(1);
        require(number <= BatchRecordLib.MAX_POSTING, TooManyPostings(BatchRecordLib.MAX_POSTING));

        _debit(msg.sender, c.terms.token, c.terms.bond);
        c.posted = uint32(number);
        emit PostingOpened(campaign, number, msg.sender);
        uint256 count;
        for (uint256 i; i < batches.length; ++i) {
            (BatchStatus status,) = _statusOf(c, life, batches[i]);
            if (status != BatchStatus.Open) continue;
            require(scores[i] >> (16 * life.cohort()) == 0, InvalidScores(batches[i], scores[i]));
            c.batches[batches[i]] = BatchRecordLib.pack(Scores.wrap(scores[i]), number, BatchStatus.Posted);
            ++count;
            emit Posted(campaign, batches[i], number, scores[i]);
        }
        require(count != 0, NothingToPost());
        c.postings[number] = Posting(msg.sender, uint40(block.timestamp), uint32(count), PostingStatus.Standing);
        c.life = life.plus(SCORED, count).withDeadline(block.timestamp + c.terms.periods.challenge);
    }

    /// @inheritdoc IEarnest
    function referee(
        uint256 campaign,
        uint256 batch,
        bytes calldata labels,
        bytes calldata row,
        bytes32[] calldata proof
    ) external {
        (Campaign storage c, Life life) = _expect(campaign, Phase.Settling);
        (BatchStatus status, uint256 finalAt) = _statusOf(c, life, batch);
        bool open = status == BatchStatus.Open;
        require(open || (status == BatchStatus.Posted && block.timestamp < finalAt), ScoresFinal(batch));
        Scores scores = _score(c, life, batch, labels, row, proof);

        address settler = msg.sender;
        if (!open) {
            BatchRecord record = c.batches[batch];
            Posting storage posting = c.postings[record.posting()];
            if (record.scores().equals(scores)) {
                --posting.resting;
                settler = posting.settler;
            } else {
                open = true;
                life = life.minus(SCORED, posting.resting);
                posting.status = PostingStatus.Void;
                _split(c.terms.token, c.terms.bond);
                emit PostingVoided(campaign, record.posting(), msg.sender);
            }
        }
        c.batches[batch] = BatchRecordLib.pack(scores, 0, BatchStatus.Refereed);
        c.life = open ? life.plus(SCORED, 1) : life;
        _credit(settler, c.terms.token, c.terms.fee);

        emit Refereed(campaign, batch, msg.sender, Scores.unwrap(scores));
    }

    /// What the referee says of a batch.
    function _score(
        Campaign storage c,
        Life life,
        uint256 batch,
        bytes calldata labels,
        bytes calldata row,
        bytes32[] calldata proof
    ) private view returns (Scores) {
        uint256[] memory cohort = _cohort(c, life, batch);
        address[] memory labelers = new address[](cohort.length);
        uint256 size = c.terms.batchSize;
        uint256 end;
        for (uint256 lane; lane < cohort.length; ++lane) {
            Seat storage seat = c.seats[cohort[lane]];
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

        bytes32 key = c.auditKey;
        require(
            key == 0 || AuditTree.verify(proof, c.terms.auditRoot, row, batch, c.terms.batches), WrongAuditRow(batch)
        );
        Rubric memory rubric = Rubric(
            c.terms.metric, c.terms.classes, c.terms.batchSize, life.has(AUDITED), c.terms.weights
        );
        return REFEREE.score(rubric, labelers, labels, row, key, batch);
    }

    /// @inheritdoc IEarnest
    function release(uint256 campaign, uint256[] calldata batches) external {
        Campaign storage c = campaigns[campaign];
        Life life = _now(c);
        if (life.phase() != Phase.Settling && life.phase() != Phase.Final) _rejectPhase(campaign, life);

        uint256 refunded;
        uint256 sunk;
        uint256 count;
        for (uint256 i; i < batches.length; ++i) {
            (BatchStatus status, uint256 finalAt) = _statusOf(c, life, batches[i]);
            if (status == BatchStatus.Released) continue;
            require(status != BatchStatus.Open && block.timestamp >= finalAt, NotFinal(batches[i], finalAt));
            Payout memory payout = _release(campaign, c, life, batches[i]);
            // All of it is held, and what is held fits 128 bits.
            unchecked {
                refunded += payout.refund;
                sunk += payout.sunk;
                ++count;
            }
        }
        c.life = c.life.plus(RELEASED, count);
        _credit(c.experimenter, c.terms.token, refunded);
        _credit(SINK, c.terms.token, sunk);
    }

    /// Pays a batch out, but for what its payout gives to experimenter and sink.
    function _release(uint256 campaign, Campaign storage c, Life life, uint256 batch)
        private
        returns (Payout memory payout)
    {
        BatchRecord batchRecord = c.batches[batch];
        address token = c.terms.token;
        uint256 stake = c.terms.stake;
        uint256[] memory cohort = _cohort(c, life, batch);
        SeatRecord[] memory records = new SeatRecord[](cohort.length);
        for (uint256 lane; lane < cohort.length; ++lane) {
            records[lane] = c.seats[cohort[lane]].record;
        }
        payout = Payouts.compute(c.terms.curve, c.terms.bounty, stake, batchRecord.scores(), records);

        c.batches[batch] = BatchRecordLib.pack(batchRecord.scores(), batchRecord.posting(), BatchStatus.Released);
        for (uint256 lane; lane < cohort.length; ++lane) {
            // A denounced seat's stake is gone.
            if (records[lane].isDenounced()) continue;
            // No loss exceeds the stake: `maxSlash` and `forfeit` are at most one half.
            _credit(c.seats[cohort[lane]].labeler, token, uint256(int256(stake) + payout.results[lane]));
        }
        // The fee of a refereed batch is paid already.
        if (batchRecord.status() == BatchStatus.Posted) {
            _credit(c.postings[batchRecord.posting()].settler, token, c.terms.fee);
        }

        emit Released(campaign, batch, payout.results, payout.refund, payout.sunk);
    }

    /// @inheritdoc IEarnest
    function returnBond(uint256 campaign, uint256 number) external {
        Campaign storage c = campaigns[campaign];
        Posting storage posting = c.postings[number];
        uint256 dueAt = _finalAt(c, posting);
        require(posting.status == PostingStatus.Standing && block.timestamp >= dueAt, BondNotDue(number, dueAt));

        posting.status = PostingStatus.Closed;
        _credit(posting.settler, c.terms.token, c.terms.bond);

        emit BondReturned(campaign, number);
    }

    // ── Ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function _credit(address account, address token, uint256 amount) private {
        if (amount == 0) return;
        Account storage entry = accounts[account][token];
        // A token that lies about what it holds wraps its own ledger alone.
        unchecked {
            entry.balance = uint128(entry.balance + amount);
        }
    }

    function _debit(address account, address token, uint256 amount) private {
        if (amount == 0) return;
        Account storage entry = accounts[account][token];
        uint256 balance = entry.balance;
        require(balance >= amount, InsufficientBalance(account, token, balance, amount));

        unchecked {
            entry.balance = uint128(balance - amount);
        }
    }

    /// Gives half of a forfeited amount to the caller, who has shown the fault, and the rest to the sink. Whoever could
    /// have all of it would show their own faults, at the last moment, for nothing.
    function _split(address token, uint256 amount) private {
        _credit(msg.sender, token, amount / 2);
        _credit(SINK, token, (amount + 1) / 2);
    }

    function _useNonce(address labeler, address token) private {
        unchecked {
            emit NonceUsed(labeler, token, accounts[labeler][token].nonce++);
        }
    }

    // ── Common ground ───────────────────────────────────────────────────────────────────────────────────────────────

    /// The campaign's life at this moment.
    function _now(Campaign storage c) private view returns (Life) {
        return c.life.at(c.terms.periods, block.timestamp);
    }

    function _expect(uint256 campaign, Phase required) private view returns (Campaign storage c, Life life) {
        c = campaigns[campaign];
        life = _now(c);
        if (life.phase() != required) _rejectPhase(campaign, life);
    }

    function _rejectPhase(uint256 campaign, Life life) private pure {
        revert WrongPhase(campaign, life.phase(), life.deadline());
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

    function _drawnSeat(Campaign storage c, Life life, uint256 seat) private view returns (Seat storage) {
        require(seat < life.seats(), NoSuchSeat(seat, life.seats()));
        return c.seats[seat];
    }

    function _revisions(Seat storage seat) private view returns (uint256) {
        if (seat.record.isEmpty()) return 0;
        unchecked {
            return uint256(seat.recommits) + 1;
        }
    }

    function _checkOpening(uint256 campaign, SeatRecord record, uint256 seat, bytes32 labelsHash, bytes32 salt)
        private
        view
    {
        bytes32 commitment = _hashTypedDataV4(TypedData.opening(campaign, seat, labelsHash, salt));
        require(record.equals(SeatRecordLib.committed(commitment)), WrongOpening(seat, commitment));
    }

    /// How far a batch has come, and when its scores are final. Scores of a void posting are none.
    function _statusOf(Campaign storage c, Life life, uint256 batch)
        private
        view
        returns (BatchStatus status, uint256 finalAt)
    {
        require(batch < life.batches(), NoSuchBatch(batch, life.batches()));
        BatchRecord record = c.batches[batch];
        status = record.status();
        if (status == BatchStatus.Posted) {
            Posting storage posting = c.postings[record.posting()];
            if (posting.status == PostingStatus.Void) return (BatchStatus.Open, 0);
            finalAt = _finalAt(c, posting);
        }
    }

    /// When a posting's challenge period ends.
    function _finalAt(Campaign storage c, Posting storage posting) private view returns (uint256) {
        unchecked {
            return uint256(posting.postedAt) + c.terms.periods.challenge;
        }
    }

    /// The seats of a drawn batch, by lane.
    function _cohort(Campaign storage c, Life life, uint256 batch) private view returns (uint256[] memory cohort) {
        bytes32 seed = c.seed;
        cohort = new uint256[](life.cohort());
        for (uint256 lane; lane < cohort.length; ++lane) {
            cohort[lane] = Draw.seatOf(seed, life.batches(), batch, lane);
        }
    }

    /// Bounties and fees of `count` batches.
    function _bountyOf(Terms storage terms, uint256 count) private view returns (uint256) {
        // Two amounts below 2^96, at most 2^32 batches.
        unchecked {
            return (uint256(terms.bounty) + terms.fee) * count;
        }
    }

    // ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IEarnest
    function accountOf(address account, address token) external view returns (uint256 balance, uint256 nonce) {
        Account storage entry = accounts[account][token];
        return (entry.balance, entry.nonce);
    }

    /// @inheritdoc IEarnest
    function termsOf(uint256 campaign) external view returns (address experimenter, Terms memory terms) {
        return (campaigns[campaign].experimenter, campaigns[campaign].terms);
    }

    /// @inheritdoc IEarnest
    function lifeOf(uint256 campaign) external view returns (LifeView memory) {
        return _now(campaigns[campaign]).unpack();
    }

    /// @inheritdoc IEarnest
    function drawOf(uint256 campaign)
        external
        view
        returns (bool requested, uint256 ticket, bytes32 seed, bytes32 auditKey)
    {
        Campaign storage c = campaigns[campaign];
        return (c.requested, c.ticket, c.seed, c.auditKey);
    }

    /// @inheritdoc IEarnest
    function seatOf(uint256 campaign, uint256 seat)
        external
        view
        returns (address labeler, SeatRecord record, uint256 revisions)
    {
        Seat storage own = campaigns[campaign].seats[seat];
        return (own.labeler, own.record, _revisions(own));
    }

    /// @inheritdoc IEarnest
    function batchOf(uint256 campaign, uint256 batch)
        external
        view
        returns (BatchStatus status, uint256 finalAt, Scores scores, uint256 posting)
    {
        Campaign storage c = campaigns[campaign];
        (status, finalAt) = _statusOf(c, _now(c), batch);
        if (status != BatchStatus.Open) {
            BatchRecord record = c.batches[batch];
            (scores, posting) = (record.scores(), record.posting());
        }
    }

    /// @inheritdoc IEarnest
    function postingOf(uint256 campaign, uint256 number) external view returns (Posting memory) {
        return campaigns[campaign].postings[number];
    }
}
