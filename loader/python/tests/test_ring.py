"""Rings against a live agent (LUCIOLA_AGENT) that has /corpus."""

import gc
import os
import random
import subprocess
import sys
import unittest

import numpy as np

import luciola

AGENT = os.environ.get("LUCIOLA_AGENT")
EBADF, EINVAL = 9, 22


def ring(**options):
    return luciola.Ring(AGENT, **{"entries": 16, "nbytes": 1 << 20, "timeout": 60, **options})


@unittest.skipUnless(AGENT, "LUCIOLA_AGENT names no agent")
class Rings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with luciola.AgentFiles(AGENT) as files:
            cls.tokens = files.read("/corpus/tokens.bin")

    def test_reads_come_as_views_of_the_memory_and_are_short_at_the_end(self):
        with ring() as r:
            file = r.open("/corpus/tokens.bin")
            end = len(self.tokens)
            r.read(file, 100, 5000, place=0, own=1)
            r.read(file, end - 10, 4096, place=8192, own=2)
            r.read(file, end + 10, 4096, place=16384, own=3)
            r.submit()
            done = dict(r.wait(3, timeout=60))
            self.assertEqual(done, {1: 5000, 2: 10, 3: 0})
            self.assertEqual(bytes(r.memory[:5000]), self.tokens[100:5100])
            view = r.array[8192 : 8192 + 10]
            self.assertFalse(view.flags.owndata)
            self.assertEqual(view.tobytes(), self.tokens[-10:])
            self.assertEqual(r.under_way, 0)

    def test_many_operations_at_full_depth_go_round_the_ring(self):
        source = random.Random(3)
        with ring(entries=8) as r:
            file = r.open("/corpus/tokens.bin")
            free = list(range(8))
            asked = {}
            done = 0
            while done < 3000:
                while free:
                    slot = free.pop()
                    asked[slot] = source.randrange(len(self.tokens) - 700)
                    r.read(file, asked[slot], 700, place=700 * slot, own=slot)
                with self.assertRaisesRegex(luciola.Error, "full"):
                    r.sync(file)
                r.submit()
                for slot, result in r.wait(source.randrange(1, 9), timeout=60):
                    self.assertEqual(result, 700)
                    at = asked[slot]
                    self.assertEqual(
                        bytes(r.memory[700 * slot : 700 * slot + 700]), self.tokens[at : at + 700]
                    )
                    free.append(slot)
                    done += 1

    def test_writes_are_there_after_a_sync(self):
        with ring() as r:
            file = r.open("/written", "w")
            numbers = np.arange(5000, dtype="<u4").view("u1")
            r.array[: numbers.size] = numbers
            r.write(file, 0, 12000, place=0, own=1)
            r.write(file, 12000, 8000, place=12000, own=2)
            r.sync(file, own=3)
            r.submit()
            self.assertEqual(sorted(r.wait(3, timeout=60)), [(1, 12000), (2, 8000), (3, 0)])
            self.assertEqual(r.length("/written"), 20000)
            with luciola.AgentFiles(AGENT) as files:
                self.assertEqual(files.read("/written"), numbers.tobytes())
            r.array[:4] = 255
            r.write(file, 0, 4, place=0, own=4)
            r.submit()
            self.assertEqual(r.wait(timeout=60), [(4, 4)])
            r.read(file, 0, 8, place=100, own=5)
            r.submit()
            self.assertEqual(r.wait(timeout=60), [(5, 8)])
            self.assertEqual(bytes(r.memory[100:108]), b"\xff\xff\xff\xff\1\0\0\0")
            r.close_file(file)
            with self.assertRaisesRegex(luciola.Error, "EXISTS"):
                r.open("/written", "x")

    def test_what_is_wrong_is_said(self):
        with ring() as r:
            with self.assertRaises(FileNotFoundError):
                r.open("/nowhere")
            with self.assertRaises(ValueError):
                r.open("/corpus/tokens.bin", "a")
            file = r.open("/corpus/tokens.bin")
            r.read(file, 0, 10, place=(1 << 20) - 9, own=1)
            r.read(file + 1, 0, 10, place=0, own=2)
            r.write(file, 0, 10, place=0, own=3)
            r.submit()
            self.assertEqual(dict(r.wait(3, timeout=60)), {1: -EINVAL, 2: -EBADF, 3: -EBADF})
            self.assertEqual(r.wait(5, timeout=60), [])
            r.close_file(file)
            with self.assertRaisesRegex(luciola.Error, "no such file"):
                r.close_file(file)
        with self.assertRaises(ValueError):
            ring(entries=3)
        with self.assertRaisesRegex(luciola.AgentUnavailable, "no agent listens there"):
            luciola.Ring("/nonexistent/agent.sock")

    def test_impossible_counters_end_this_ring_and_no_other(self):
        with ring() as other, ring() as r:
            file = other.open("/corpus/tokens.bin")
            r._put = (r._put + 100) & 0xFFFFFFFF
            r.submit()
            with self.assertRaisesRegex(luciola.Error, "counters"):
                r.wait(1, timeout=60)
            other.read(file, 0, 100, place=0)
            other.submit()
            self.assertEqual(other.wait(1, timeout=60), [(0, 100)])

    def test_arrays_outlive_the_ring(self):
        r = ring()
        file = r.open("/corpus/tokens.bin")
        r.read(file, 0, 100, place=0)
        r.submit()
        r.wait(1, timeout=60)
        view = r.array[:100]
        r.close()
        del r
        gc.collect()
        self.assertEqual(view.tobytes(), self.tokens[:100])

    def test_a_killed_owner_leaves_its_writes_and_nothing_else(self):
        code = (
            "import os, time, luciola\n"
            "r = luciola.Ring(os.environ['LUCIOLA_AGENT'])\n"
            "f = r.open('/killed', 'w')\n"
            "r.array[:5] = 65\n"
            "r.write(f, 0, 5, place=0)\n"
            "r.submit()\n"
            "print(r.wait(1), flush=True)\n"
            "time.sleep(600)\n"
        )
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        self.assertIn(b"result=5", child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()
        with luciola.AgentFiles(AGENT, timeout=60) as files:
            for _ in range(1000):
                if files.stat("/killed")["length"] == 5:
                    break
            self.assertEqual(files.read("/killed"), b"AAAAA")


if __name__ == "__main__":
    unittest.main()
