# SPDX-License-Identifier: MPL-2.0
"""A small z-buffer rasteriser: textured triangles, hashed alpha for hair, one shadow map, smooth light.

It needs neither a GPU nor a window system nor a system's OpenGL, so that the same seed gives the same
picture wherever numba runs. Depth is the distance from the camera, screen x to the right and y down.
"""

import os

# The same code on every x86-64, so that pictures do not depend on the processor.
os.environ.setdefault("NUMBA_CPU_NAME", "generic")

import numba
import numpy as np

NONE = np.int32(-1)


@numba.njit(cache=True, inline="always")
def _hash(x, y, z):
    h = (x * 374761393 + y * 668265263 + z * 2147483647) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65536.0


@numba.njit(cache=True, inline="always")
def _texel(textures, t, u, v, channel):
    """A texture's value, bilinear and repeated."""
    size = textures.shape[1]
    x = (u - np.floor(u)) * size - 0.5
    y = (1.0 - (v - np.floor(v))) * size - 0.5
    x0, y0 = int(np.floor(x)), int(np.floor(y))
    fx, fy = x - x0, y - y0
    xa, xb, ya, yb = x0 % size, (x0 + 1) % size, y0 % size, (y0 + 1) % size
    top = textures[t, ya, xa, channel] * (1 - fx) + textures[t, ya, xb, channel] * fx
    low = textures[t, yb, xa, channel] * (1 - fx) + textures[t, yb, xb, channel] * fx
    return top * (1 - fy) + low * fy


@numba.njit(cache=True)
def visible(screen, triangles, uvs, texture, textures, width, height):
    """The nearest triangle of every pixel, and its first two weights there (in space, not on screen).

    `screen` is x, y and depth a vertex; `uvs` u, v and opacity a corner; `texture` the number of each
    triangle's texture, whose fourth channel is opacity too.
    """
    nearest = np.full((height, width), np.inf, np.float32)
    index = np.full((height, width), NONE, np.int32)
    weights = np.zeros((height, width, 2), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        ax, ay, az = screen[a]
        bx, by, bz = screen[b]
        cx, cy, cz = screen[c]
        if az <= 0 or bz <= 0 or cz <= 0:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        right = min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        top = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        bottom = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        m = texture[t]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + 0.5, y + 0.5
                wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
                wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
                wc = 1.0 - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                wa, wb, wc = wa / az, wb / bz, wc / cz
                depth = 1.0 / (wa + wb + wc)
                if depth >= nearest[y, x]:
                    continue
                wa, wb, wc = wa * depth, wb * depth, wc * depth
                alpha = wa * uvs[t, 0, 2] + wb * uvs[t, 1, 2] + wc * uvs[t, 2, 2]
                u = wa * uvs[t, 0, 0] + wb * uvs[t, 1, 0] + wc * uvs[t, 2, 0]
                v = wa * uvs[t, 0, 1] + wb * uvs[t, 1, 1] + wc * uvs[t, 2, 1]
                alpha *= _texel(textures, m, u, v, 3) / 255.0
                if alpha < 0.999 and alpha < 0.1 + 0.8 * _hash(x, y, t):
                    continue
                nearest[y, x] = depth
                index[y, x] = t
                weights[y, x, 0] = wa
                weights[y, x, 1] = wb
    return nearest, index, weights


@numba.njit(cache=True)
def shade(index, weights, points, normals, triangles, uvs, texture, textures, tint, gloss, light, ambient,
          key, fill, to_light, shadow):
    """Colours of the pixels in linear light, and 1 where a triangle is.

    `points` and `normals` are the vertices' in camera space (x right, y up, z towards the camera), `tint`
    the colour a triangle multiplies its texture by. `light` is the direction of the key light; `to_light`
    takes a point to the shadow map's x, y and depth.
    """
    height, width = index.shape
    out = np.zeros((height, width, 4), np.float32)
    side = shadow.shape[0]
    for y in range(height):
        for x in range(width):
            t = index[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t]
            wa, wb = weights[y, x]
            wc = 1 - wa - wb
            n0 = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
            n1 = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
            n2 = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
            length = np.sqrt(n0 * n0 + n1 * n1 + n2 * n2) + 1e-9
            if n2 < 0:
                # Hair and cloth have two sides.
                length = -length if gloss[t] < 0 else length
            n0, n1, n2 = n0 / length, n1 / length, n2 / length
            p0 = wa * points[a, 0] + wb * points[b, 0] + wc * points[c, 0]
            p1 = wa * points[a, 1] + wb * points[b, 1] + wc * points[c, 1]
            p2 = wa * points[a, 2] + wb * points[b, 2] + wc * points[c, 2]
            lit = 0.0
            sx = to_light[0, 0] * p0 + to_light[0, 1] * p1 + to_light[0, 2] * p2 + to_light[0, 3]
            sy = to_light[1, 0] * p0 + to_light[1, 1] * p1 + to_light[1, 2] * p2 + to_light[1, 3]
            sz = to_light[2, 0] * p0 + to_light[2, 1] * p1 + to_light[2, 2] * p2 + to_light[2, 3]
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    i, j = int(sy) + dy, int(sx) + dx
                    if i < 0 or j < 0 or i >= side or j >= side or sz < shadow[i, j] + 0.12:
                        lit += 1.0 / 9.0
            facing = n0 * light[0] + n1 * light[1] + n2 * light[2]
            wrap = 0.35 if gloss[t] < 0 else 0.12
            diffuse = max(0.0, (facing + wrap) / (1 + wrap)) * lit
            # Halfway between the light and the camera.
            h0, h1, h2 = light[0], light[1], light[2] + 1.0
            h = np.sqrt(h0 * h0 + h1 * h1 + h2 * h2)
            shine = max(0.0, (n0 * h0 + n1 * h1 + n2 * h2) / h)
            shine = abs(gloss[t]) * shine ** 24 * lit
            sky = 0.65 + 0.35 * n1
            back = max(0.0, n2) ** 0.5
            u = wa * uvs[t, 0, 0] + wb * uvs[t, 1, 0] + wc * uvs[t, 2, 0]
            v = wa * uvs[t, 0, 1] + wb * uvs[t, 1, 1] + wc * uvs[t, 2, 1]
            for channel in range(3):
                level = _texel(textures, texture[t], u, v, channel) / 255.0
                albedo = level ** 2.2 * tint[t, channel]
                glow = ambient[channel] * sky + key[channel] * diffuse + fill[channel] * back
                out[y, x, channel] = albedo * glow + shine * key[channel]
            out[y, x, 3] = 1
    return out
