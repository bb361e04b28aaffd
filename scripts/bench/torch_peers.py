#!/usr/bin/python3
"""The DQN works of `deerlua bench` in PyTorch and NumPy, on one thread.

Called by the name of a work (peers/ holds links), prints the microseconds of one: the median of
five measurements after one that warms up.
"""
import math
import os
import sys
import time

import numpy as np
import torch
from torch import nn


def dense64():
    return nn.Sequential(
        nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def minatar():
    return nn.Sequential(
        nn.Conv2d(4, 16, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 6))


def nature():
    return nn.Sequential(
        nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 6))


def update(make, shape, actions):
    """A DQN update on a batch that is there already: mean squared error, backward, Adam."""
    online, target = make(), make()
    target.load_state_dict(online.state_dict())
    adam = torch.optim.Adam(online.parameters(), 1e-5)
    s_tm1, s_t, r_t = torch.rand(shape), torch.rand(shape), torch.rand(shape[0])
    a_tm1 = torch.randint(0, actions, (shape[0], 1))
    discount_t = torch.full((shape[0],), 0.99)

    def body():
        with torch.no_grad():
            goal = r_t + discount_t * target(s_t).max(1).values
        loss = nn.functional.mse_loss(online(s_tm1).gather(1, a_tm1).squeeze(1), goal)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return body


def greedy_action():
    network, state = dense64(), torch.rand(1, 4)

    def body():
        with torch.no_grad():
            return int(network(state).argmax())

    return body


class CartPole:
    """CartPole-v1 without the wrappers of Gymnasium, in plain numbers."""

    def __init__(self, rng):
        self.rng = rng
        self.reset()

    def reset(self):
        self.state, self.steps = self.rng.uniform(-0.05, 0.05, 4).tolist(), 0
        return self.state

    def step(self, action):
        x, v, angle, w = self.state
        sin, cos = math.sin(angle), math.cos(angle)
        push = ((10 if action else -10) + 0.05 * w * w * sin) / 1.1
        turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
        x, v = x + 0.02 * v, v + 0.02 * (push - 0.05 * turn * cos / 1.1)
        angle, w = angle + 0.02 * w, w + 0.02 * turn
        self.state, self.steps = [x, v, angle, w], self.steps + 1
        return self.state, abs(x) > 2.4 or abs(angle) > math.pi / 15, self.steps == 500


def dqn_cartpole(batch=128, capacity=10000):
    """What CleanRL's dqn.py does in a step: act, store, draw a batch, update."""
    rng = np.random.default_rng(1)
    online, target, env = dense64(), dense64(), CartPole(rng)
    target.load_state_dict(online.state_dict())
    adam = torch.optim.Adam(online.parameters(), 2.5e-4)
    obs = np.zeros((capacity, 4), np.float32)
    next_obs, action = np.zeros_like(obs), np.zeros((capacity, 1), np.int64)
    reward, done = np.ones(capacity, np.float32), np.zeros(capacity, np.float32)
    count = 0

    def act():
        nonlocal count
        i, count = count % capacity, count + 1
        obs[i] = env.state
        if rng.random() < 0.05:
            action[i] = rng.integers(2)
        else:
            with torch.no_grad():
                action[i] = int(online(torch.from_numpy(obs[i:i + 1])).argmax(1))
        state, fallen, over = env.step(int(action[i, 0]))
        next_obs[i], done[i] = state, fallen
        if fallen or over:
            env.reset()

    def body():
        act()
        k = rng.integers(0, min(count, capacity), batch)
        s_tm1, s_t, a_tm1, r_t, d = (torch.from_numpy(x[k])
                                     for x in (obs, next_obs, action, reward, done))
        with torch.no_grad():
            goal = r_t + 0.99 * target(s_t).max(1).values * (1 - d)
        loss = nn.functional.mse_loss(goal, online(s_tm1).gather(1, a_tm1).squeeze())
        adam.zero_grad()
        loss.backward()
        adam.step()
        if count % 500 == 0:
            target.load_state_dict(online.state_dict())

    for _ in range(1000):
        act()
    return body


def prioritized(batch=256, capacity=1000000):
    """A sum tree over arrays: all samples of a batch go down and up it together."""
    rng = np.random.default_rng(1)
    first = 1 << (capacity - 1).bit_length()
    tree = np.zeros(2 * first)
    tree[first:first + capacity] = rng.random(capacity) ** 0.6
    level = first
    while level > 1:
        tree[level // 2:level] = tree[level:2 * level:2] + tree[level + 1:2 * level:2]
        level //= 2
    obs = rng.standard_normal((capacity + 1, 4), dtype=np.float32)
    action, reward = rng.integers(0, 2, capacity), np.ones(capacity, np.float32)
    done = np.arange(capacity) % 200 == 199

    def body():
        x, at = rng.random(batch) * tree[1], np.ones(batch, np.int64)
        while at[0] < first:
            at *= 2
            left = tree[at]
            right = x >= left
            x -= left * right
            at += right
        k = np.minimum(at - first, capacity - 1)
        weight = (capacity * tree[at] / tree[1]) ** -0.4
        weight /= weight.max()
        batch_of = obs[k], obs[k + 1], action[k], reward[k], done[k]
        tree[first + k] = (np.abs(batch_of[0][:, 0]) + 1e-4) ** 0.6
        at = (first + k) // 2
        while at[0] > 0:
            tree[at] = tree[2 * at] + tree[2 * at + 1]
            at //= 2
        return batch_of, weight

    return body


# name: how often per measurement, what
WORKS = {
    "dqn64_b128": (200, lambda: update(dense64, (128, 4), 2)),
    "dqn_cartpole": (400, dqn_cartpole),
    "prioritized_1e6": (500, prioritized),
    "act64": (2000, greedy_action),
    "nature_b32": (4, lambda: update(nature, (32, 4, 84, 84), 6)),
    "minatar_b32": (50, lambda: update(minatar, (32, 4, 10, 10), 6)),
}


def main():
    torch.set_num_threads(1)
    count, make = WORKS[os.path.basename(sys.argv[0])]
    body, times = make(), []
    for _ in range(6):
        start = time.perf_counter()
        for _ in range(count):
            body()
        times.append((time.perf_counter() - start) / count)
    print("%.3f" % (1e6 * sorted(times[1:])[2]))


main()
