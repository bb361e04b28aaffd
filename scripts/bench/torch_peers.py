#!/usr/bin/python3
"""The DQN works of `deerlua bench` in PyTorch, on one thread.

Called by the name of a work (peers/ holds links), prints the microseconds of one: the median of
five measurements after one that warms up.
"""
import os
import sys
import time

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


# name: how often per measurement, what
WORKS = {
    "dqn64_b128": (200, lambda: update(dense64, (128, 4), 2)),
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
