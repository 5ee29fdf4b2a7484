# SPDX-License-Identifier: MPL-2.0
"""A person from a seed: shape, face, skin, hair and clothes, as one mesh in rest pose.

Units are those of the base mesh, decimetres: x to the person's left, y up, z out of the face.
"""

import dataclasses

import cv2
import numpy as np

import assets as parts

# Whoever is rendered for one of these shares neither shape nor hairstyle with the others.
SPLITS = ["train", "fit", "test"]
# What they wear. Plain hair is short and leaves face and ears free.
HAIR = {
    "train": {"plain": ["short01", "afro01"], "covers": ["bob01", "Braid01"]},
    "fit": {"plain": ["short04"], "covers": ["short03", "long01"]},
    "test": {"plain": ["short02", "ponytail01"], "covers": ["bob02"]},
}
# Falls down the neck or the back: rear models take it for a front now and then.
LONG = ["Braid01", "long01", "ponytail01"]
# By number of the person, again and again.
ORDER = ["plain", "crop", "plain", "covers", "plain", "crop", "plain", "crop", "covers", "bald"]
# The reflectance by which a hair texture of middle grey is multiplied.
HAIR_COLOURS = [(.05, .045, .04), (.03, .03, .03), (.12, .08, .055), (.25, .16, .10), (.45, .31, .18),
                (.9, .68, .40), (.75, .75, .75), (.50, .20, .09)]
DETAILS = ["cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose"]
# What is below this height is never in a picture.
LOWEST = -2.5
# Shapes that would turn or move the head against its own axes.
UNFIT = ("head-trans", "head-angle", "neck-trans", "head-scale", "nose-trans")


@dataclasses.dataclass
class Person:
    """One mesh: what it takes to pose and to draw it."""

    name: str
    hair: str
    style: str
    points: np.ndarray
    normals: np.ndarray
    # How far each vertex goes along with the head: 0 the trunk, 1 the head.
    head: np.ndarray
    triangles: np.ndarray
    uvs: np.ndarray
    texture: np.ndarray
    textures: np.ndarray
    tint: np.ndarray
    gloss: np.ndarray
    # Triangles of the head with its hair, which its box is drawn around.
    boxed: np.ndarray
    pivot: np.ndarray
    centre: np.ndarray


def smoothstep(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def shape(assets, rng):
    """The base mesh of someone, and what the choice of skin needs to know."""
    points = assets.points.copy()

    def apply(name, amount):
        if amount > 0:
            ids, moves = assets.target(name)
            points[ids] += moves * amount

    male = float(rng.random() < 0.5)
    male = abs(male - rng.uniform(0, 0.25))
    years = {"child": 1.0} if rng.random() < 0.06 else {}
    if not years:
        old = rng.beta(0.8, 1.6)
        years = {"young": 1 - old, "old": old}
    races = dict(zip(["african", "asian", "caucasian"], rng.dirichlet([0.5, 0.5, 0.8])))
    muscle, weight = rng.uniform(-0.8, 0.8), rng.uniform(-0.8, 1.0)
    levels = [[("average", 1 - abs(x)), ("max" if x > 0 else "min", abs(x))] for x in (muscle, weight)]
    for gender, g in (("male", male), ("female", 1 - male)):
        for age, a in years.items():
            for race, r in races.items():
                apply(f"macrodetails/{race}-{gender}-{age}", g * a * r)
            for m, mw in levels[0]:
                for w, ww in levels[1]:
                    apply(f"macrodetails/universal-{gender}-{age}-{m}muscle-{w}weight", g * a * mw * ww)
    for folder in DETAILS:
        names = [name for name in assets.targets if name.startswith(folder + "/")
                 and "/r-" not in name and not any(word in name for word in UNFIT)]
        for n in rng.choice(len(names), size=min(6, len(names)), replace=False):
            amount = rng.uniform(0, 0.5)
            apply(names[n], amount)
            if "/l-" in names[n]:
                apply(names[n].replace("/l-", "/r-"), np.clip(amount + rng.normal(0, 0.05), 0, 1))
    face = "expression/units/caucasian/"
    if rng.random() < 0.4:
        apply(face + "mouth-corner-puller", rng.uniform(0, 0.7))
    if rng.random() < 0.15:
        apply(face + "mouth-open", rng.uniform(0, 0.5))
    closed = 1.0 if rng.random() < 0.05 else rng.uniform(0, 0.35)
    for side in ("left", "right"):
        apply(face + f"eye-{side}-closure", closed)
    race = max(races, key=races.get)
    age = "young" if "old" not in years or years["old"] < 0.35 else (
        "middleage" if years["old"] < 0.65 else "old")
    return points, f"{age}_{race}_{'male' if male > 0.5 else 'female'}"


def lower_arms(assets, points, rng):
    """Arms hang down: turned about the shoulders, with their weights."""
    angle = np.radians(rng.uniform(20, 42))
    for side, sign, name in (("L", -1, "l"), ("R", 1, "r")):
        weights = sum(w for bone, w in assets.bones.items() if bone.endswith("." + side)
                      and bone.startswith(("upperarm", "lowerarm", "wrist", "finger", "metacarpal")))
        weights = weights + 0.3 * assets.bones["shoulder01." + side]
        at = assets.joint(points, name + "-shoulder")
        a = sign * angle * weights
        x, y = points[:, 0] - at[0], points[:, 1] - at[1]
        points[:, 0] = at[0] + np.cos(a) * x - np.sin(a) * y
        points[:, 1] = at[1] + np.sin(a) * x + np.cos(a) * y
    return points


def crop_hair(points, body, centre, rng):
    """Shells over the scalp, denser below than above: hair of a length, with a hairline of its own."""
    ids, triangles = np.unique(body, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    p = points[ids]
    d = p - centre
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    azimuth = np.degrees(np.abs(np.arctan2(d[:, 0], d[:, 2])))
    height = np.degrees(np.arcsin(np.clip(d[:, 1], -1, 1)))
    front, side, back = rng.uniform(42, 58), rng.uniform(5, 22), rng.uniform(-42, -22)
    line = np.interp(azimuth, [0, 35, 65, 100, 135, 180], [front, front - 4, side + 22, side, back, back])
    grown = smoothstep(-3, 9, height - line)
    length = rng.uniform(0.05, 0.28)
    normal = vertex_normals(p, triangles)
    shells = 4
    uv = np.stack([azimuth / 90 * np.sign(d[:, 0] + 1e-9), height / 60], 1)
    out = []
    for n in range(shells):
        share = (n + 0.4) / shells
        density = grown * (1.05 - 0.55 * share)
        out.append((p + normal * (length * share * grown)[:, None], density))
    return ids, triangles, uv, out


def vertex_normals(points, triangles):
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(points)
    for axis in range(3):
        for k in range(3):
            out[:, axis] += np.bincount(triangles[:, k], face[:, axis], len(points))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def strands(rng):
    """A texture of hair: grey, streaked along v, opaque where a strand is."""
    noise = rng.random((parts.TEXTURE, parts.TEXTURE)).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), sigmaX=0.8, sigmaY=9)
    coarse = cv2.GaussianBlur(noise, (0, 0), sigmaX=14, sigmaY=22)
    fine, coarse = ((x - x.mean()) / x.std() for x in (fine, coarse))
    image = np.empty((parts.TEXTURE, parts.TEXTURE, 4), np.uint8)
    image[..., :3] = np.clip(145 + 26 * fine + 14 * coarse, 40, 250)[..., None]
    image[..., 3] = np.clip(225 + 45 * fine, 0, 255)
    return image


def grey(texture):
    """A hair texture without its colour."""
    level = texture[..., :3].astype(np.float32) @ np.float32([.3, .59, .11])
    seen = texture[..., 3] > 100
    level = level / max(level[seen].mean(), 1.0) * 145
    out = texture.copy()
    out[..., :3] = np.clip(level, 25, 250)[..., None]
    return out


def make(assets, split, number, seed):
    """Person `number` of a split."""
    rng = np.random.default_rng([seed, SPLITS.index(split), number])
    base, kind = shape(assets, rng)
    base = lower_arms(assets, base, rng)
    ratio = [abs(base[i] - base[j])[axis] / length for i, j, axis, length in
             ((5399, 11998, 0, 1.6682), (791, 881, 1, 2.8351), (962, 5320, 2, 2.3542))]
    scale = np.array(ratio)

    bones = assets.bones
    face = ("head", "jaw", "eye", "levator", "oculi", "orbicularis", "oris", "risorius", "temporalis",
            "special", "tongue")
    skull = sum(w for name, w in bones.items() if name.startswith(face))
    turn = skull + 0.8 * bones["neck03"] + 0.5 * bones["neck02"] + 0.22 * bones["neck01"]
    turn = np.clip(turn, 0, 1)
    chin = base[assets.quads[assets.groups == "joint-jaw"]].mean((0, 1))[1] - 0.75
    head_joint, crown = assets.joint(base, "head"), assets.joint(base, "head-2")
    pivot = 0.5 * (assets.joint(base, "neck") + head_joint)
    centre = np.array([0, 0.55 * head_joint[1] + 0.45 * crown[1], 0.3])

    wear = ORDER[number % len(ORDER)]
    male = kind.endswith("_male")
    if wear == "bald" and not male:
        wear = "crop"
    style, hair = wear, "plain"
    if wear in ("plain", "covers"):
        choices = HAIR[split][wear]
        round_, place = divmod(number, len(ORDER))
        style = choices[(round_ + ORDER[:place].count(wear)) % len(choices)]
        hair = "long" if style in LONG else wear
    colour = HAIR_COLOURS[rng.integers(3 if "_african_" in kind or "_asian_" in kind else len(HAIR_COLOURS))]
    colour = np.array(colour) * rng.uniform(0.8, 1.25)

    textures, pieces = [], []

    def add(points, triangles, uvs, texture, tint, gloss, follow, boxed, alpha=None):
        """One part: `alpha` is an opacity by vertex."""
        if uvs.shape[2] == 2:
            opacity = np.ones(triangles.shape) if alpha is None else alpha[triangles]
            uvs = np.concatenate([uvs, opacity[..., None]], 2)
        n = len(triangles)
        textures.append(texture)
        pieces.append((points, triangles, uvs, np.full(n, len(textures) - 1), np.tile(tint, (n, 1)),
                       np.full(n, gloss), follow, np.broadcast_to(boxed, n)))

    clothes = [name for name in parts.CLOTHES if name.startswith("male") == male]
    cloth = clothes[rng.integers(len(clothes))]
    mesh, hidden = assets.proxy(cloth)
    points = mesh.fit(base)
    keep = points[mesh.triangles][:, :, 1].max(1) > LOWEST
    tint = np.clip(rng.uniform(0.5, 2.2) * rng.uniform(0.6, 1.4, 3), 0.3, 3)
    add(points, mesh.triangles[keep], mesh.uvs[keep], assets.proxy_texture(cloth), tint, -0.03,
        mesh.follow(turn), False)

    quads = assets.quads[assets.groups == "body"]
    uvs = assets.uvs[assets.groups == "body"]
    keep = (base[quads][:, :, 1].max(1) > LOWEST) & ~hidden[quads].all(1)
    quads, uvs = quads[keep], uvs[keep]
    body = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    uvs = np.concatenate([uvs[:, [0, 1, 2]], uvs[:, [0, 2, 3]]])
    skins = [path for path in assets.skins if path.parent.parent.name == kind]
    skin = assets.texture(skins[rng.integers(len(skins))])
    tone = rng.uniform(0.75, 1.15) * (1 + rng.normal(0, 0.04, 3))
    add(base, body, uvs, skin, tone, 0.08, turn, skull[body].mean(1) > 0.6)

    for name, texture, tint, gloss in (
            ("Low-Poly", assets.texture(assets.folder / "makehuman/proxies/eyes/Low-Poly/textures" /
                                        (parts.EYES[rng.integers(len(parts.EYES))] + "_eye.png")),
             np.full(3, 0.9), 0.5),
            (brow := parts.BROWS[rng.integers(len(parts.BROWS))], grey(assets.proxy_texture(brow)),
             colour * 0.7, -0.02)):
        mesh, _ = assets.proxy(name)
        add(mesh.fit(base, scale), mesh.triangles, mesh.uvs, texture, tint, gloss, mesh.follow(turn), True)

    if wear == "crop":
        scalp = body[(skull[body].mean(1) > 0.6) & (base[body][:, :, 1].mean(1) > chin)]
        ids, triangles, uv, shells = crop_hair(base, scalp, centre, rng)
        corners = uv[triangles]
        wrap = np.ptp(corners[:, :, 0], axis=1) > 2
        corners[wrap, :, 0] = np.where(corners[wrap, :, 0] < 0, corners[wrap, :, 0] + 4, corners[wrap, :, 0])
        corners = corners * np.array([rng.uniform(2, 4), 1])
        texture = strands(rng)
        for points, density in shells:
            dense = density[triangles].max(1) > 0.02
            add(points, triangles[dense], corners[dense], texture, colour, -0.05, turn[ids], True, density)
    elif wear != "bald":
        mesh, _ = assets.proxy(style)
        points = mesh.fit(base, scale * (1 + rng.uniform(-0.08, 0.25)))
        if rng.random() < 0.5:
            points = points * [-1, 1, 1]
        follow = np.maximum(mesh.follow(turn), 0.0) * smoothstep(chin - 1.9, chin - 0.2, points[:, 1])
        boxed = points[mesh.triangles][:, :, 1].mean(1) > chin
        add(points, mesh.triangles, mesh.uvs, grey(assets.proxy_texture(style)), colour, -0.08, follow, boxed)

    starts = np.cumsum([0] + [len(piece[0]) for piece in pieces])
    triangles = np.concatenate([piece[1] + start for piece, start in zip(pieces, starts)])
    points = np.concatenate([piece[0] for piece in pieces])
    normals = vertex_normals(points, triangles)
    used, triangles = np.unique(triangles, return_inverse=True)
    column = [np.concatenate([piece[k] for piece in pieces]) for k in range(2, 8)]
    return Person(
        name=f"{split}{number:03}", hair=hair, style=style, points=points[used], normals=normals[used],
        head=column[4][used], triangles=triangles.reshape(-1, 3).astype(np.int32),
        uvs=column[0].astype(np.float32), texture=column[1].astype(np.int32),
        textures=np.ascontiguousarray(np.stack(textures)), tint=column[2].astype(np.float32),
        gloss=column[3].astype(np.float32), boxed=column[5], pivot=pivot, centre=centre)
