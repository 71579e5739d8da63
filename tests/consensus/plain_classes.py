"""Slow references in plain loops, one answer at a time, to compare the estimators of classes with."""

from __future__ import annotations

import itertools
import math

from scipy.special import psi

FLOOR, NONE = 1e-10, 1e-300


def shares(rows, tasks, classes, gold):
    """Share of votes of each class for each task; gold where known."""
    result = []
    for task in range(tasks):
        votes = [sum(1 for t, _, a in rows if t == task and a == c) for c in range(classes)]
        total = sum(votes)
        plain = [v / total if total else 1 / classes for v in votes]
        result.append([float(c == gold[task]) for c in range(classes)] if task in gold else plain)
    return result


def posterior(rows, tasks, log_prior, log_answer, gold):
    """Class probabilities of each task, and the log likelihood."""
    classes = len(log_prior)
    result, likelihood = [], 0.0
    for task in range(tasks):
        joint = [
            log_prior[c] + sum(log_answer[w][c][a] for t, w, a in rows if t == task) for c in range(classes)
        ]
        if task in gold:
            joint = [joint[c] if c == gold[task] else -math.inf for c in range(classes)]
        top = max(joint)
        weights = [math.exp(j - top) for j in joint]
        likelihood += top + math.log(sum(weights))
        result.append([w / sum(weights) for w in weights])
    return result, likelihood


def counts(rows, probability, workers, classes):
    """Expected number of answers by worker, truth and answer."""
    result = [[[0.0] * classes for _ in range(classes)] for _ in range(workers)]
    for task, worker, answer in rows:
        for truth in range(classes):
            result[worker][truth][answer] += probability[task][truth]
    return result


def dawid_skene(rows, tasks, workers, classes, iterations, right=0.0, wrong=0.0, per_class=0.0, gold=None):
    """Expectation–maximisation from the vote shares."""
    gold = gold or {}
    probability = shares(rows, tasks, classes, gold)
    for _ in range(iterations):
        log_answer = []
        for count in counts(rows, probability, workers, classes):
            matrix = []
            for truth in range(classes):
                line = [count[truth][a] + (right if a == truth else wrong) for a in range(classes)]
                total = sum(line)
                matrix.append([math.log(max(x / total if total else 1 / classes, FLOOR)) for x in line])
            log_answer.append(matrix)
        sizes = [sum(p[c] for p in probability) + per_class for c in range(classes)]
        log_prior = [math.log(max(s / sum(sizes), NONE)) for s in sizes]
        probability, likelihood = posterior(rows, tasks, log_prior, log_answer, gold)
    return probability, likelihood


def one_coin(rows, tasks, workers, classes, iterations, gold=None):
    """Expectation–maximisation of one accuracy for every worker."""
    gold = gold or {}
    probability = shares(rows, tasks, classes, gold)
    for _ in range(iterations):
        log_answer = []
        for worker in range(workers):
            own = [(t, a) for t, w, a in rows if w == worker]
            accuracy = sum(probability[t][a] for t, a in own) / len(own)
            wrong = (1 - accuracy) / (classes - 1)
            log_answer.append(
                [
                    [math.log(max(accuracy if a == c else wrong, FLOOR)) for a in range(classes)]
                    for c in range(classes)
                ]
            )
        sizes = [sum(p[c] for p in probability) for c in range(classes)]
        log_prior = [math.log(max(s / sum(sizes), NONE)) for s in sizes]
        probability, likelihood = posterior(rows, tasks, log_prior, log_answer, gold)
    return probability, likelihood


def ibcc(rows, tasks, workers, classes, iterations, right, wrong, per_class):
    """Mean-field updates of Dirichlet posteriors."""
    probability = shares(rows, tasks, classes, {})
    for _ in range(iterations):
        log_answer = []
        for count in counts(rows, probability, workers, classes):
            matrix = []
            for truth in range(classes):
                line = [count[truth][a] + (right if a == truth else wrong) for a in range(classes)]
                matrix.append([psi(x) - psi(sum(line)) for x in line])
            log_answer.append(matrix)
        sizes = [sum(p[c] for p in probability) + per_class for c in range(classes)]
        log_prior = [psi(s) - psi(sum(sizes)) for s in sizes]
        probability, _ = posterior(rows, tasks, log_prior, log_answer, {})
    return probability


def mace_likelihood(rows, tasks, classes, knows, guess):
    """Log likelihood of knowing or guessing, by summing over every truth and every worker's state."""
    total = 0.0
    for task in range(tasks):
        own = [(w, a) for t, w, a in rows if t == task]
        chance = 0.0
        for truth in range(classes):
            for states in itertools.product((True, False), repeat=len(own)):
                product = 1 / classes
                for (worker, answer), knowing in zip(own, states, strict=True):
                    product *= (
                        knows[worker] * (answer == truth)
                        if knowing
                        else (1 - knows[worker]) * guess[worker][answer]
                    )
                chance += product
        total += math.log(chance)
    return total


def glad_posterior(rows, tasks, classes, ability, log_ease, mean=1.0):
    """Log posterior of GLAD's parameters, up to the constant of the normal priors."""
    total = -0.5 * sum((x - mean) ** 2 for x in [*ability, *log_ease])
    for task in range(tasks):
        chance = 0.0
        for truth in range(classes):
            product = 1 / classes
            for t, worker, answer in rows:
                if t == task:
                    product_of = ability[worker] * math.exp(min(log_ease[task], 30))
                    right = 0.5 + 0.5 * math.tanh(product_of / 2)
                    product *= right if answer == truth else (1 - right) / (classes - 1)
            chance += product
        total += math.log(max(chance, NONE))
    return total


def held_out(rows_seen, rows_held, probability, workers, classes, strength):
    """Total log probability of held-out answers, from the probabilities fitted to the others."""
    count = counts(rows_seen, probability, workers, classes)
    crowd = []
    for truth in range(classes):
        line = [
            sum(count[w][truth][a] for w in range(workers)) + (4.0 if a == truth else 1.0)
            for a in range(classes)
        ]
        crowd.append([x / sum(line) for x in line])
    total = 0.0
    for task, worker, answer in rows_held:
        chance = 0.0
        for truth in range(classes):
            line = [count[worker][truth][a] + strength * crowd[truth][a] for a in range(classes)]
            chance += probability[task][truth] * line[answer] / sum(line)
        total += math.log(chance)
    return total
