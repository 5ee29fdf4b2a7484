# SPDX-License-Identifier: MPL-2.0
"""Rotations and angles in the convention of src/estimator/angles.rs, and those of Pointing'04."""

import numpy as np


def about(axis, degrees):
    s, c = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    matrix = np.eye(3)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    matrix[a, a] = matrix[b, b] = c
    matrix[a, b], matrix[b, a] = -s, s
    return matrix


def rotation(yaw, pitch, roll):
    """Rx(pitch) Ry(-yaw) Rz(roll), as src/estimator/angles.rs defines it."""
    return about(0, pitch) @ about(1, -yaw) @ about(2, roll)


def angles(r):
    """Yaw, pitch and roll of a rotation, pitch within +-90."""
    pitch = np.arctan2(-r[1, 2], r[2, 2])
    pitch -= np.pi * np.round(pitch / np.pi)
    s, c = np.sin(pitch), np.cos(pitch)
    roll = np.arctan2(c * r[1, 0] + s * r[2, 0], c * r[1, 1] + s * r[2, 1])
    yaw = -np.arctan2(r[0, 2], c * r[2, 2] - s * r[1, 2])
    return np.degrees([yaw, pitch, roll])


def apart(a, b):
    """The angle of the rotation between two rotations, in degrees."""
    return np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))


def middle(a, b):
    """The mean of two rotations."""
    u, _, v = np.linalg.svd(a + b)
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
