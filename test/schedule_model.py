"""What a rollout does, written from docs/serving.md ("Splits", "Plans" and "Schedules") alone: it shares no code and no approach with the
extension. A rollout is lived through here from one moment to the next, while the extension lays all of its times down in advance.

schedule_model.py cases SEED N    prints random rollouts: present split, target, plan, acts, a line each, tab-separated
schedule_model.py check SEED N    reads what preview_rollout() says of them (a JSON object a line) and compares
"""
import json
import random
import sys
from bisect import bisect_right
from fractions import Fraction

WHOLE = 1000000
INSTANTS = 1000
UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


# Splits and positions. An arm is (model or '', version); a map of positions is a list of runs [arm, width].

def arm_of(text):
    model, _, version = text.rpartition("/")
    return (model.encode(), int(version))


def text_of(arm):
    return (arm[0].decode() + "/" if arm[0] else "") + str(arm[1])


def parse_split(text):
    shares = {}
    for part in text.strip("{}").split(", "):
        arm, share = part.split(": ")
        shares[arm_of(arm)] = int(Fraction(share.rstrip("%")) * 10000)
    return shares


def print_split(split):
    def percent(share):
        text = "%d.%04d" % divmod(share, 10000)
        return text.rstrip("0").rstrip(".")
    return "{" + ", ".join("%s: %s%%" % (text_of(arm), percent(split[arm])) for arm in sorted(split)) + "}"


def join_runs(runs):
    joined = []
    for arm, width in runs:
        if width and joined and joined[-1][0] == arm:
            joined[-1][1] += width
        elif width:
            joined.append([arm, width])
    return joined


def weights(runs):
    split = {}
    for arm, width in runs:
        split[arm] = split.get(arm, 0) + width
    return split


def move(runs, to):
    """The map of positions after they moved to another split."""
    have = weights(runs)
    queue = []                              # [start, width] of all that is given, in the order in which it is taken
    for giver in sorted(have):
        left = have[giver] - to.get(giver, 0)
        given, end = [], WHOLE
        for arm, width in reversed(runs):
            if arm == giver and left > 0:
                part = min(left, width)
                given.insert(0, [end - part, part])
                left -= part
            end -= width
        queue += given
    taken = []                              # (start, width, taker)
    for taker in sorted(to):
        wanted = to[taker] - have.get(taker, 0)
        while wanted > 0:
            part = min(wanted, queue[0][1])
            taken.append((queue[0][0], part, taker))
            queue[0] = [queue[0][0] + part, queue[0][1] - part]
            if queue[0][1] == 0:
                queue.pop(0)
            wanted -= part
    assert not queue
    result, start = [], 0
    for arm, width in runs:
        at = start
        for first, part, taker in sorted(t for t in taken if start <= t[0] < start + width):
            result += [[arm, first - at], [taker, part]]
            at = first + part
        start += width
        result.append([arm, start - at])
    return join_runs(result)


def between(source, target, gone):
    exact = {arm: source.get(arm, 0) + Fraction((target.get(arm, 0) - source.get(arm, 0)) * gone, WHOLE)
             for arm in set(source) | set(target)}
    split = {arm: int(share) for arm, share in exact.items()}
    order = sorted(exact, key=lambda arm: (split[arm] - exact[arm], arm))
    for arm in order[:WHOLE - sum(split.values())]:
        split[arm] += 1
    return {arm: share for arm, share in split.items() if share}


# Plans

def micros(text):
    """A duration as this file writes it, or as normalized_plan() does."""
    words = text.split()
    return sum(int(Fraction(number) * UNITS[unit.rstrip("s") + "s"] * 1000000) for number, unit in zip(words[::2], words[1::2]))


def percent(text):
    return int(Fraction(text.rstrip("%")) * 10000)


def document(plan):
    """The JSON of a plan's text."""
    if plan.startswith("{"):
        return json.loads(plan)
    words = plan.split(" ", 1)
    if plan == "all at once":
        return {"steps": [{"weight": "100%"}]}
    if words[0] == "linear":
        duration, _, steps = plan[len("linear over "):].partition(" in ")
        return {"linear": duration, "in": int(steps.split()[0]) if steps else 24}
    if words[0] == "shadow":
        return {"shadow": plan[len("shadow for "):] or "forever"}
    if plan == "canary":
        return document("canary 5% for 30 minutes, 25% for 30 minutes, 50% for 30 minutes")
    steps = [dict(zip(("weight", "bake"), part.split(" for "))) for part in words[1].split(", ")]
    return {"steps": steps + ([] if "bake" not in steps[-1] else [{"weight": "100%"}])}


class Step:
    def __init__(self, split, bake, shadow=(), warm=()):
        self.split, self.bake, self.shadow, self.warm = split, bake, sorted(shadow), sorted(warm)


def steps_of(plan, source, target):
    new = [arm for arm in target if arm not in source]
    steps = []
    if "warm_up" in plan and new:
        steps.append(Step(source, micros(plan["warm_up"]), warm=new))
    if "shadow" in plan and new:
        forever = plan["shadow"] == "forever"
        steps.append(Step(source, None if forever else micros(plan["shadow"]), shadow=new))
    if "linear" in plan:
        over, n = micros(plan["linear"]), plan.get("in", 24)
        at = [k * over // n for k in range(n + 1)]
        way = [(k * WHOLE // n, at[k + 1] - at[k] if k < n else None) for k in range(n + 1)]
    else:
        way = [(percent(s["weight"]), micros(s["bake"]) if "bake" in s else None) for s in plan.get("steps", [])]
    if not way:
        return steps + ([] if plan["shadow"] == "forever" else [Step(source, None)])
    for gone, bake in way[:-1]:
        split = between(source, target, gone)
        steps.append(Step(split, bake, warm=[arm for arm in target if arm not in split]))
    return steps + last_steps(plan, source, target)


def last_steps(plan, source, target):
    lost = [arm for arm in source if arm not in target]
    if "keep_warm" in plan and lost:
        return [Step(target, micros(plan["keep_warm"]), warm=lost), Step(target, None)]
    return [Step(target, None)]


# A rollout as it goes by

class Rollout:
    def __init__(self, present, target, plan, at):
        self.plan, self.source, self.target = document(plan), present, target
        self.steps = steps_of(self.plan, present, target)
        runs = [[arm, present[arm]] for arm in sorted(present)]
        for step in self.steps:
            runs = step.runs = move(runs, step.split)
        self.now, self.state, self.passed = at, "running", False
        self.history = []                   # (time, step, state) of each that began to hold
        self.enter(0)

    def enter(self, i):
        self.i, self.rest, self.passed = i, self.steps[i].bake, False
        self.note()

    def note(self):
        self.history.append((self.now, self.steps[self.i], self.state))

    def guarded(self, i):
        return "guards" in self.plan and self.state != "ended" and self.steps[i].split not in (self.source, self.target)

    def waits(self):
        """For evidence, and for nothing else."""
        return self.state == "running" and self.guarded(self.i) and not self.passed

    def live(self, until):
        """To a moment, at which nothing has opened yet."""
        while self.now < until:
            opens = self.state in ("running", "ended") and self.rest is not None and not self.waits()
            if opens and self.now + self.rest < until:
                self.now += self.rest
                self.enter(self.i + 1)
                continue
            if self.state in ("running", "ended") and self.rest is not None:
                self.rest = max(self.rest - (until - self.now), 0)
            self.now = until

    def runs_on(self):
        if self.state != "running":
            return self.state != "ended"
        later = self.steps[self.i:]
        return (any(step.shadow for step in later) or any(step.runs != later[0].runs for step in later) or
                any(self.guarded(k) for k in range(self.i, len(self.steps) - 1)))

    def acts(self):
        """What can be done to it now."""
        if not self.runs_on():
            return []
        frozen = self.state in ("paused", "held")
        return (["complete", "abort"] + (["resume"] if frozen else ["pause"]) + (["hold"] if self.state != "held" else []) +
                (["pass"] if self.waits() else []))

    def do(self, act):
        if act in ("pause", "hold"):
            self.state = {"pause": "paused", "hold": "held"}[act]
            self.note()
        elif act == "resume":
            self.state, self.passed = "running", False
            self.note()
        elif act == "pass" and self.rest == 0:
            self.enter(self.i + 1)
        elif act == "pass":
            self.passed = True
            self.note()
        else:
            self.end(act)

    def end(self, act):
        runs = self.steps[self.i].runs
        if act == "abort":
            self.steps = [Step(self.source, None)]
        elif "steps" in self.plan or "linear" in self.plan:
            self.steps = last_steps(self.plan, self.source, self.target)
        else:
            self.steps = [Step(weights(runs), None)]
        for step in self.steps:
            runs = step.runs = move(runs, step.split)
            if act == "abort" and len(runs) > 4096:
                step.runs = [[arm, step.split[arm]] for arm in sorted(step.split)]
        self.state = "ended"
        self.enter(0)


# Random rollouts

ARMS = [(b"", v) for v in range(1, 7)] + [(b"search.reco", 2), (b"search.reco", 10), ("süd.é".encode(), 1), (b"1.1", 3)]


def random_split(rng, arms):
    arms = rng.sample(arms, min(rng.choice([1, 1, 1, 2, 2, 3, 5, 8]), len(arms)))
    cuts = sorted(rng.sample(range(1, WHOLE), len(arms) - 1))
    if rng.random() < 0.3:
        cuts = [WHOLE * k // len(arms) for k in range(1, len(arms))]
    return {arm: b - a for arm, a, b in zip(arms, [0] + cuts, cuts + [WHOLE])}


def duration(rng):
    return rng.choice(["%d minutes" % rng.randint(1, 90), "%d hours" % rng.randint(1, 5), "1 hour 30 minutes", "1 day", "0.25 days",
                       "%d.%06d seconds" % (rng.randint(1, 7200), rng.randrange(1000000)), "0.001 seconds"])


def random_steps(rng):
    way = sorted(rng.sample(range(1, WHOLE), rng.randint(1, 9)))
    if rng.random() < 0.5:
        way = sorted({max(w // 10000, 1) * 10000 for w in way})
    return ["%d.%04d%%" % divmod(w, 10000) for w in way]


def random_plan(rng):
    kind = rng.choice(["once", "linear", "canary", "own canary", "shadow", "json", "json", "json", "json"])
    if kind in ("once", "canary"):
        return {"once": "all at once", "canary": "canary"}[kind]
    if kind == "linear":
        return "linear over " + duration(rng).replace("0.001 seconds", "1 seconds") + rng.choice(["", " in %d steps" % rng.randint(1, 60)])
    if kind == "own canary":
        return "canary " + ", ".join("%s for %s" % (w, duration(rng)) for w in random_steps(rng)) + rng.choice(["", ", 100%"])
    if kind == "shadow":
        return rng.choice(["shadow", "shadow for " + duration(rng)])
    plan = {}
    if rng.random() < 0.5:
        plan["warm_up"] = duration(rng)
    if rng.random() < 0.4:
        plan["shadow"] = duration(rng)
    if rng.random() < 0.3:
        plan["linear"] = rng.choice(["2 hours", "100.000007 seconds", "3 days"])
        plan["in"] = rng.randint(1, 40)
    else:
        plan["steps"] = [{"weight": w, "bake": duration(rng)} for w in random_steps(rng)] + [{"weight": "100%"}]
    if rng.random() < 0.5:
        plan["keep_warm"] = duration(rng)
    if rng.random() < 0.5:
        plan["guards"] = [{"metric": "ctr", "at_least": 0.98, "of": "baseline"}]
    return json.dumps(plan)


def start_of(n):
    """Microseconds since 1970."""
    return 1780315200000000 + n


def random_case(rng, n):
    """A rollout, what is done to it, and its life to the end of what is done."""
    arms = rng.choice([ARMS, ARMS[:6]])     # half of them of one model, for the test to try on real endpoints
    while True:
        present, target, plan = random_split(rng, arms), random_split(rng, arms), random_plan(rng)
        if "steps" in document(plan) or "linear" in document(plan) or any(arm not in present for arm in target):
            break
    rollout = Rollout(present, target, plan, start_of(n))
    acts = []
    for _ in range(rng.choice([0, 1, 3, 8, 20])):
        wait = rng.choice([rng.randint(1000, 10 ** 9), rng.randint(1000, 10 ** 10), (rollout.rest or 0) + rng.choice([0, 0, 1, 1000])])
        rollout.live(rollout.now + max(wait, 1000))
        possible = rollout.acts()
        if not possible:
            break
        act = rng.choice(possible + [a for a in possible if a in ("resume", "pass")] * 4)
        rollout.do(act)
        acts.append({"act": act, "after": "%d.%06d seconds" % divmod(rollout.now - start_of(n), 1000000)})
    rollout.live(rollout.now + 10 ** 14)
    return present, target, plan, acts, rollout


# What preview_rollout() says

class Said:
    def __init__(self, rows):
        self.rows = sorted(rows, key=lambda row: (row["schedule"], row["step"]))
        for row in self.rows:
            row["runs"] = [[arm_of(arm), int(width)] for arm, width in (part.split(": ") for part in row["segments"].split(", "))]
        self.at = [row["opens"] for row in self.rows if row["step"] == 0]

    def step_at(self, time):
        schedule = bisect_right(self.at, time) - 1
        return [row for row in self.rows if row["schedule"] == schedule and row["opens"] is not None and row["opens"] <= time][-1]


def check_runs(runs):
    assert all(width >= 1 for _, width in runs) and sum(width for _, width in runs) == WHOLE, runs
    assert all(a[0] != b[0] for a, b in zip(runs, runs[1:])), runs


def spread(runs):
    at = 0
    for arm, width in runs:
        yield at, at + width, arm
        at += width


def check_move(before, after):
    """Positions go from arms that shrink to arms that grow, and no more of them than need to."""
    had, has = weights(before), weights(after)
    moved = 0
    for a, b, old in spread(before):
        for c, d, new in spread(after):
            if max(a, c) < min(b, d) and old != new:
                assert has.get(old, 0) < had[old] and has[new] > had.get(new, 0), (before, after)
                moved += min(b, d) - max(a, c)
    assert moved == sum(max(has[arm] - had.get(arm, 0), 0) for arm in has), (before, after)


def check_case(rng, case, rows):
    _, _, _, acts, rollout = case
    said = Said(rows)
    assert len(said.at) == len(acts) + 1
    for row in said.rows:
        check_runs(row["runs"])
        assert parse_split(row["split"]) == weights(row["runs"]) and print_split(weights(row["runs"])) == row["split"], row
    times = [time for time, _, _ in rollout.history]
    instants = [rng.randint(times[0], times[-1] + 10 ** 10) for _ in range(INSTANTS)]
    edges = {time + d for time in times for d in (-1, 0, 1)} | {row["opens"] + d for row in said.rows if row["opens"] for d in (-1, 0, 1)}
    before = None
    for time in sorted(instants + [edge for edge in edges if edge >= times[0]]):
        row = said.step_at(time)
        _, step, state = rollout.history[bisect_right(times, time) - 1]
        split = parse_split(row["split"])
        assert sum(split.values()) == WHOLE
        assert split == step.split, (time, split, step.split)
        assert row["runs"] == step.runs, (time, row["runs"], step.runs)
        assert [arm_of(arm) for arm in row["shadow"]] == step.shadow and [arm_of(arm) for arm in row["warm"]] == step.warm, (time, row)
        assert row["state"] == state, (time, row, state)
        if before is not None and before is not row:
            check_move(before["runs"], row["runs"])
        before = row
    return len(instants), len(edges), sum(len(weights(row["runs"])) for row in said.rows)


def main():
    command, seed, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cases = [random_case(random.Random("%d %d" % (seed, i)), i) for i in range(n)]
    if command == "cases":
        for i, (present, target, plan, acts, _) in enumerate(cases):
            # COPY takes a backslash for an escape, and JSON has one in each \u
            fields = [str(i), print_split(present), print_split(target), plan, json.dumps(acts)]
            print("\t".join(field.replace("\\", "\\\\") for field in fields))
        return
    rng = random.Random(seed)
    seen = dict.fromkeys(["rollouts", "instants", "edges", "acts", "waiting"], 0)
    for i, line in enumerate(sys.stdin):
        rows = json.loads(line)
        try:
            instants, edges, _ = check_case(rng, cases[i], rows)
        except AssertionError:
            sys.stderr.write("seed %d, rollout %d: %s -> %s by %s, %s\n" % (seed, i, print_split(cases[i][0]), print_split(cases[i][1]),
                                                                        cases[i][2], json.dumps(cases[i][3])))
            raise
        seen["rollouts"] += 1
        seen["instants"] += instants
        seen["edges"] += edges
        seen["acts"] += len(cases[i][3])
        seen["waiting"] += sum(row["opens"] is None for row in rows)
    assert seen["rollouts"] == n
    print(" ".join("%s %d" % item for item in seen.items()))


main()
